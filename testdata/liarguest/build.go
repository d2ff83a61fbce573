package main

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/airlockvm/airlock/internal/wire/fb"
)

// The messages that package wire would refuse to write are written with the code
// that flatc generates, which checks nothing.

type offset = flatbuffers.UOffsetT

// put writes a message to the output buffer and returns its length.
func put(identifier string, build func(b *flatbuffers.Builder) offset) int {
	b := flatbuffers.NewBuilder(1 << 10)
	b.FinishSizePrefixedWithFileIdentifier(build(b), []byte(identifier))
	return copy(output, b.FinishedBytes())
}

// function is one of a declaration.
type function struct {
	name     string
	params   []byte
	returns  byte
	nameless bool
}

func putDeclaration(exports, imports []function, sdk string) int {
	return put("ALGD", func(b *flatbuffers.Builder) offset {
		exported, imported := functions(b, exports), functions(b, imports)
		name, version := b.CreateString(sdk), b.CreateString("0")
		fb.GuestDeclarationStart(b)
		fb.GuestDeclarationAddExports(b, exported)
		fb.GuestDeclarationAddImports(b, imported)
		fb.GuestDeclarationAddSdkName(b, name)
		fb.GuestDeclarationAddSdkVersion(b, version)
		return fb.GuestDeclarationEnd(b)
	})
}

func functions(b *flatbuffers.Builder, list []function) offset {
	offsets := make([]offset, len(list))
	for i, f := range list {
		name, params := b.CreateString(f.name), b.CreateByteVector(f.params)
		fb.FunctionStart(b)
		if !f.nameless {
			fb.FunctionAddName(b, name)
		}
		fb.FunctionAddParameters(b, params)
		fb.FunctionAddReturnType(b, fb.ValueType(f.returns))
		offsets[i] = fb.FunctionEnd(b)
	}
	return b.CreateVectorOfTables(offsets)
}

// parameter is one of a call: a type and a table that need not fit it.
type parameter struct {
	kind  byte
	value func(b *flatbuffers.Builder) offset
}

func text(s string) func(b *flatbuffers.Builder) offset {
	return func(b *flatbuffers.Builder) offset {
		value := b.CreateString(s)
		fb.ValueStringStart(b)
		fb.ValueStringAddValue(b, value)
		return fb.ValueStringEnd(b)
	}
}

func number(n int32) func(b *flatbuffers.Builder) offset {
	return func(b *flatbuffers.Builder) offset {
		fb.ValueInt32Start(b)
		fb.ValueInt32AddValue(b, n)
		return fb.ValueInt32End(b)
	}
}

func putCall(name string, params ...parameter) int {
	return put("ALFC", func(b *flatbuffers.Builder) offset {
		offsets := make([]offset, len(params))
		for i, p := range params {
			value := p.value(b)
			fb.ParameterStart(b)
			fb.ParameterAddValueType(b, fb.Value(p.kind))
			if value != 0 {
				fb.ParameterAddValue(b, value)
			}
			offsets[i] = fb.ParameterEnd(b)
		}
		list, called := b.CreateVectorOfTables(offsets), b.CreateString(name)
		fb.FunctionCallStart(b)
		fb.FunctionCallAddName(b, called)
		fb.FunctionCallAddParameters(b, list)
		return fb.FunctionCallEnd(b)
	})
}

func putResult(kind byte, value func(b *flatbuffers.Builder) offset) int {
	return put("ALFR", func(b *flatbuffers.Builder) offset {
		outcome := value(b)
		fb.FunctionResultStart(b)
		fb.FunctionResultAddOutcomeType(b, fb.Outcome(kind))
		fb.FunctionResultAddOutcome(b, outcome)
		return fb.FunctionResultEnd(b)
	})
}

func failure(code byte, message string) func(b *flatbuffers.Builder) offset {
	return func(b *flatbuffers.Builder) offset {
		text := b.CreateString(message)
		fb.ErrorStart(b)
		fb.ErrorAddCode(b, fb.ErrorCode(code))
		fb.ErrorAddMessage(b, text)
		return fb.ErrorEnd(b)
	}
}

func putLog(level byte, message string, attributes int) int {
	return put("ALLR", func(b *flatbuffers.Builder) offset {
		offsets := make([]offset, attributes)
		for i := range offsets {
			key, value := b.CreateString("k"), b.CreateString("v")
			fb.LogAttributeStart(b)
			fb.LogAttributeAddKey(b, key)
			fb.LogAttributeAddValue(b, value)
			offsets[i] = fb.LogAttributeEnd(b)
		}
		text, list := b.CreateString(message), b.CreateVectorOfTables(offsets)
		fb.LogRecordStart(b)
		fb.LogRecordAddLevel(b, fb.LogLevel(level))
		fb.LogRecordAddMessage(b, text)
		fb.LogRecordAddAttributes(b, list)
		return fb.LogRecordEnd(b)
	})
}

// putChain is a call whose first parameter is the start of a chain of tables,
// each of which is the only field of the one before: a message that nests
// thousands deep, for a reader that recurses.
func putChain(depth int) int {
	return putCall("EchoString", parameter{typeString, func(b *flatbuffers.Builder) offset {
		link := text("end")(b)
		for range depth {
			b.StartObject(1)
			b.PrependUOffsetTSlot(0, link, 0)
			link = b.EndObject()
		}
		return link
	}})
}

// putShared is a call with 32 times the same long text, of which the message has
// one copy.
func putShared() int {
	var shared offset
	params := make([]parameter, 32)
	for i := range params {
		params[i] = parameter{typeString, func(b *flatbuffers.Builder) offset {
			if shared == 0 {
				shared = text(string(make([]byte, 50000)))(b)
			}
			return shared
		}}
	}
	return putCall("EchoString", params...)
}

// Types of values: abi/schema/value.fbs.
const (
	typeInt32  = 1
	typeString = 8
	typeVoid   = 10
	typeError  = 11
)
