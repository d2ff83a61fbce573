package wire

import "slices"

// DecodeCall verifies and decodes a function call.
//
// Guest-controlled: every byte of msg. It must be a private copy: nobody else
// may change it. Args of KindBytes are parts of msg; everything else is copied.
func DecodeCall(msg []byte) (Call, error) { return decode(msg, &callMessage, readCall) }

// decodeCallInto is DecodeCall with the memory of another call: its Args, and its
// Name if that is the name of this call too.
func decodeCallInto(c Call, msg []byte) (Call, error) {
	return decode(msg, &callMessage, func(t view) (Call, *Error) {
		return readCallInto(t, Call{Name: c.Name, Args: c.Args[:0]})
	})
}

// DecodeResult verifies and decodes a function result.
//
// Guest-controlled: every byte of msg. It must be a private copy: nobody else
// may change it. A Value of KindBytes is a part of msg; everything else is copied.
func DecodeResult(msg []byte) (Result, error) {
	var r Result
	err := r.Decode(msg, nil)
	return r, err
}

// Decode is [DecodeResult] into a Result, whatever that was before. After an error
// it is empty. Text goes to room if that is not nil and has some.
func (r *Result) Decode(msg []byte, room *Room) (err error) {
	r.Clear()
	if !r.Value.decodePlain(msg, room) {
		*r, err = decode(msg, &resultMessage, readResult)
	}
	return err
}

// DecodeError verifies and decodes an error. Nothing of msg is kept.
//
// Guest-controlled: every byte of msg. It must be a private copy: nobody else
// may change it.
func DecodeError(msg []byte) (ErrorInfo, error) { return decode(msg, &errorMessage, readError) }

// DecodeLogRecord verifies and decodes a log record. Nothing of msg is kept.
//
// Guest-controlled: every byte of msg. It must be a private copy: nobody else
// may change it.
func DecodeLogRecord(msg []byte) (LogRecord, error) { return decode(msg, &logMessage, readLogRecord) }

// DecodeDeclaration verifies and decodes a guest's declaration. Nothing of msg
// is kept.
//
// Guest-controlled: every byte of msg. It must be a private copy: nobody else
// may change it.
func DecodeDeclaration(msg []byte) (Declaration, error) {
	return decode(msg, &declarationMessage, readDeclaration)
}

// DecodeHostFunctions verifies and decodes a list of host functions. Nothing of
// msg is kept.
//
// Guest-controlled: every byte of msg. It must be a private copy: nobody else
// may change it.
func DecodeHostFunctions(msg []byte) (HostFunctions, error) {
	return decode(msg, &hostFunctionsMessage, readHostFunctions)
}

// decode verifies msg and only then reads it.
func decode[T any](msg []byte, m *message, read func(view) (T, *Error)) (out T, err error) {
	// A net under mistakes of this package: a message must not end the host.
	defer func() {
		if recover() != nil {
			var zero T
			out, err = zero, refuse(ErrVerifier, 0).in(m.name)
		}
	}()
	root, e := verify(msg, m)
	if e != nil {
		return out, e
	}
	out, e = read(view{msg, root})
	if e != nil {
		var zero T
		return zero, e.in(m.name)
	}
	return out, nil
}

func readCall(t view) (Call, *Error) { return readCallInto(t, Call{}) }

// readCallInto is readCall with the memory of another call.
func readCallInto(t view, c Call) (Call, *Error) {
	if name := t.bytesAt(0); string(name) != c.Name { // compares without a copy
		c.Name = string(name)
	}
	start, n := t.vectorAt(1)
	if n > 0 {
		c.Args = slices.Grow(c.Args, int(n)) //nolint:gosec // G115: at most MaxParams
	}
	for range n {
		c.Args = append(c.Args, readValue(t.tableAt(start)))
		start += 4
	}
	return c, nil
}

func readResult(t view) (Result, *Error) {
	if t.byteAt(0) != outcomeError {
		return Result{Value: readValue(t)}, nil
	}
	info, e := readError(t.tableAt(t.field(1)))
	return Result{Err: &info}, e
}

// readValue reads the union that the first two fields of t are.
func readValue(t view) Value {
	v := t.tableAt(t.field(1))
	switch kind := Kind(t.byteAt(0)); kind {
	case KindInt32:
		return Int32(int32(v.wordAt(0))) //nolint:gosec // G115: two's complement is meant
	case KindUint32:
		return Uint32(v.wordAt(0))
	case KindInt64, KindUint64, KindFloat64:
		return Value{kind: kind, bits: v.longAt(0)}
	case KindFloat32:
		// Not through a float32: moving one may change the bits of a NaN.
		return Value{kind: kind, bits: uint64(v.wordAt(0))}
	case KindBool:
		return Bool(v.byteAt(0) != 0)
	case KindString:
		return String(v.textAt(0))
	case KindBytes:
		return Bytes(v.bytesAt(0))
	case KindVoid:
		return Void()
	case KindInvalid:
	}
	panic("wire: unverified union")
}

func readError(t view) (ErrorInfo, *Error) {
	return ErrorInfo{Code: ErrorCode(t.byteAt(0)), Message: t.textAt(1)}, nil
}

func readLogRecord(t view) (LogRecord, *Error) {
	r := LogRecord{
		Level:   Level(t.byteAt(0)),
		Message: t.textAt(1),
		Source:  t.textAt(2),
		File:    t.textAt(3),
		Line:    t.wordAt(4),
	}
	if start, n := t.vectorAt(5); n > 0 {
		r.Attrs = make([]Attr, n)
		for i := range r.Attrs {
			attr := t.tableAt(start)
			r.Attrs[i] = Attr{Key: attr.textAt(0), Value: attr.textAt(1)}
			start += 4
		}
	}
	return r, nil
}

func readDeclaration(t view) (Declaration, *Error) {
	d := Declaration{SDKName: t.textAt(2), SDKVersion: t.textAt(3)}
	var e *Error
	if d.Exports, e = readFunctions(t, 0); e != nil {
		return d, e.in("exports")
	}
	if d.Imports, e = readFunctions(t, 1); e != nil {
		return d, e.in("imports")
	}
	return d, nil
}

func readHostFunctions(t view) (HostFunctions, *Error) {
	functions, e := readFunctions(t, 0)
	if e != nil {
		return HostFunctions{}, e.in("functions")
	}
	return HostFunctions{functions}, nil
}

// readFunctions reads a list of functions, whose names must differ.
func readFunctions(t view, field uint64) ([]Function, *Error) {
	start, n := t.vectorAt(field)
	if n == 0 {
		return nil, nil
	}
	functions := make([]Function, n)
	for i := range functions {
		f := t.tableAt(start + 4*uint64(i)) //nolint:gosec // G115: an index
		functions[i] = Function{Name: f.textAt(0), Return: Kind(f.byteAt(2))}
		if kinds := f.bytesAt(1); len(kinds) > 0 {
			functions[i].Params = make([]Kind, len(kinds))
			for j, kind := range kinds {
				functions[i].Params[j] = Kind(kind)
			}
		}
	}
	if i := duplicate(functions); i >= 0 {
		return nil, refuse(ErrDuplicate, t.tableAt(start+4*uint64(i)).pos).in("name").at(i) //nolint:gosec // G115: an index
	}
	return functions, nil
}
