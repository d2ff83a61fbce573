package wire

import (
	"slices"
	"strings"
)

// This file refuses what can't be sent, before a byte of it is written.

func checkCall(c *Call) *Error {
	if e := checkName(c.Name); e != nil {
		return e.in("name")
	}
	if e := checkCount(len(c.Args), MaxParams); e != nil {
		return e.in("parameters")
	}
	for i := range c.Args {
		if e := checkValue(&c.Args[i], KindBytes); e != nil {
			return e.at(i).in("parameters")
		}
	}
	return nil
}

func checkResult(r *Result) *Error {
	if r.Err != nil {
		return inOutcome(checkError(r.Err))
	}
	return inOutcome(checkValue(&r.Value, KindVoid))
}

func inOutcome(e *Error) *Error {
	if e != nil {
		return e.in("outcome")
	}
	return nil
}

// checkValue refuses values that have no kind, or one above last.
func checkValue(v *Value, last Kind) *Error {
	if v.kind == KindInvalid || v.kind > last {
		return unfit(ErrRange, uint64(v.kind), uint64(last)).in("value")
	}
	if v.kind == KindString && !isTextString(v.text) {
		return unfit(ErrUTF8, 0, 0).in("value")
	}
	return nil
}

func checkError(e *ErrorInfo) *Error {
	if e.Code == CodeInvalid || int(e.Code) >= codeCount {
		return unfit(ErrRange, uint64(e.Code), maxCode).in("code")
	}
	return nil
}

func checkLogRecord(r *LogRecord) *Error {
	if r.Level == LevelInvalid || int(r.Level) >= levelCount {
		return unfit(ErrRange, uint64(r.Level), maxLevel).in("level")
	}
	if e := checkCount(len(r.Attrs), MaxLogAttrs); e != nil {
		return e.in("attributes")
	}
	return nil
}

func checkDeclaration(d *Declaration) *Error {
	if e := checkFunctions(d.Exports); e != nil {
		return e.in("exports")
	}
	if e := checkFunctions(d.Imports); e != nil {
		return e.in("imports")
	}
	if e := checkText(d.SDKName, MaxSDK); e != nil {
		return e.in("sdk_name")
	}
	if e := checkText(d.SDKVersion, MaxSDK); e != nil {
		return e.in("sdk_version")
	}
	return nil
}

func checkHostFunctions(h *HostFunctions) *Error {
	if e := checkFunctions(h.Functions); e != nil {
		return e.in("functions")
	}
	return nil
}

func checkFunctions(functions []Function) *Error {
	if e := checkCount(len(functions), MaxFunctions); e != nil {
		return e
	}
	for i := range functions {
		if e := checkFunction(&functions[i]); e != nil {
			return e.at(i)
		}
	}
	if i := duplicate(functions); i >= 0 {
		return unfit(ErrDuplicate, 0, 0).in("name").at(i)
	}
	return nil
}

func checkFunction(f *Function) *Error {
	if e := checkName(f.Name); e != nil {
		return e.in("name")
	}
	if e := checkCount(len(f.Params), MaxParams); e != nil {
		return e.in("parameters")
	}
	for i, kind := range f.Params {
		if !kind.IsParam() {
			return unfit(ErrRange, uint64(kind), uint64(KindBytes)).at(i).in("parameters")
		}
	}
	if !f.Return.IsReturn() {
		return unfit(ErrRange, uint64(f.Return), uint64(KindVoid)).in("return_type")
	}
	return nil
}

func checkName(name string) *Error {
	if e := checkText(name, MaxName); e != nil {
		return e
	}
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return unfit(ErrName, 0, 0)
	}
	return nil
}

func checkText(s string, limit uint64) *Error {
	if uint64(len(s)) > limit {
		return unfit(ErrLength, uint64(len(s)), limit)
	}
	if !isTextString(s) {
		return unfit(ErrUTF8, 0, 0)
	}
	return nil
}

func checkCount(n int, limit uint64) *Error {
	if uint64(n) > limit { //nolint:gosec // G115: a length
		return unfit(ErrCount, uint64(n), limit) //nolint:gosec // G115: a length
	}
	return nil
}

// duplicate returns the index of a function whose name an earlier one has too,
// or -1. It sorts, because comparing all pairs of a full list takes half a
// million comparisons.
func duplicate(functions []Function) int {
	if len(functions) < 2 {
		return -1
	}
	names := make([]string, len(functions))
	for i := range functions {
		names[i] = functions[i].Name
	}
	slices.Sort(names)
	for i, name := range names[1:] {
		if name != names[i] {
			continue
		}
		for j, f := range slices.Backward(functions) {
			if f.Name == name {
				return j
			}
		}
	}
	return -1
}

// unfit makes the error for a message that can't be sent.
func unfit(r Reason, got, limit uint64) *Error {
	return &Error{Reason: r, Offset: NoOffset, Got: got, Limit: limit}
}
