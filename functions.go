package airlock

import (
	"context"
	"strings"

	"github.com/airlockvm/airlock/internal/wire"
)

// FunctionInfo describes a function that a guest exports or needs.
type FunctionInfo struct {
	// Name is what the guest calls it: 1 to 255 bytes of UTF-8.
	Name string
	// Params and Return name the types, as "int32", "string", "bytes"; Return is
	// "void" for a function that returns nothing.
	Params []string
	Return string
}

// String writes a function as "Name(string, int32) bool", the name quoted if it
// is not plain.
func (f FunctionInfo) String() string {
	text := quoteName(f.Name) + "(" + strings.Join(f.Params, ", ") + ")"
	if f.Return != wire.KindVoid.String() {
		text += " " + f.Return
	}
	return text
}

// FunctionList is what a guest has declared.
type FunctionList struct {
	// Exports are the functions that the host may call, in the guest's order, but for
	// those of the SDK, whose names begin with "airlock.".
	Exports []FunctionInfo
	// Imports are the host functions that the guest needs, in the guest's order.
	// A sandbox that lacks one fails calls with a [*MissingHostFunctionError].
	Imports []FunctionInfo
	// SDK names what the guest was built with, as the guest says.
	SDK string
}

// Functions returns what the guest exports and needs. It starts the guest's
// program as the first call does, also when host functions are missing.
func (sb *Sandbox) Functions(ctx context.Context) (FunctionList, error) {
	if err := sb.turn.begin(ctx); err != nil {
		return FunctionList{}, err
	}
	fatal := errUnfinished
	defer func() { sb.turn.end(fatal) }()
	if sb.serving == nil {
		if fatal = sb.start(ctx); fatal != nil {
			return FunctionList{}, fatal
		}
	}
	fatal = nil
	return functionList(&sb.serving.declaration), nil
}

func functionList(d *wire.Declaration) FunctionList {
	return FunctionList{
		Exports: functionInfos(d.Exports),
		Imports: functionInfos(d.Imports),
		SDK:     d.SDKName + " " + d.SDKVersion,
	}
}

func functionInfos(functions []wire.Function) []FunctionInfo {
	list := make([]FunctionInfo, 0, len(functions))
	for _, f := range functions {
		if !strings.HasPrefix(f.Name, wire.ReservedNames) {
			list = append(list, functionInfo(f))
		}
	}
	return list
}

func functionInfo(f wire.Function) FunctionInfo {
	info := FunctionInfo{Name: f.Name, Return: f.Return.String()}
	for _, kind := range f.Params {
		info.Params = append(info.Params, kind.String())
	}
	return info
}

func signature(f wire.Function) string { return functionInfo(f).String() }
