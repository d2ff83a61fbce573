package wire

import "slices"

// AppendCall appends a function call to dst, and returns dst as it was with an
// error.
func AppendCall(dst []byte, c *Call) ([]byte, error) { return outgoing{call: c}.append(dst) }

// AppendCallWithin is [AppendCall] for a buffer of a size: a call that is longer
// than limit is refused with [ErrMessageSize] before a byte is written and
// memory is allocated.
func AppendCallWithin(dst []byte, c *Call, limit int) ([]byte, error) {
	return outgoing{call: c}.appendWithin(dst, limit)
}

// PutCall writes a function call to the start of buf, which may be shared memory,
// and returns its length. A call that doesn't fit is refused with
// [ErrMessageSize] before a byte is written.
func PutCall(buf []byte, c *Call) (int, error) { return outgoing{call: c}.put(buf) }

// AppendResult appends a function result to dst. If r.Err is set it is the
// result, and r.Value is not looked at.
func AppendResult(dst []byte, r *Result) ([]byte, error) { return outgoing{result: r}.append(dst) }

// AppendResultWithin is [AppendResult] with a limit, as that of
// [AppendCallWithin].
func AppendResultWithin(dst []byte, r *Result, limit int) ([]byte, error) {
	return outgoing{result: r}.appendWithin(dst, limit)
}

// PutResult writes a function result, as that of [AppendResult], to the start of
// buf and returns its length.
func PutResult(buf []byte, r *Result) (int, error) {
	if n, ok, err := putPlain(buf, r); ok {
		return n, err
	}
	return outgoing{result: r}.put(buf)
}

// AppendError appends an error to dst.
func AppendError(dst []byte, e *ErrorInfo) ([]byte, error) { return outgoing{info: e}.append(dst) }

// PutError writes an error to the start of buf and returns its length.
func PutError(buf []byte, e *ErrorInfo) (int, error) { return outgoing{info: e}.put(buf) }

// AppendLogRecord appends a log record to dst.
func AppendLogRecord(dst []byte, r *LogRecord) ([]byte, error) { return outgoing{log: r}.append(dst) }

// PutLogRecord writes a log record to the start of buf and returns its length.
// Every log record fits into 64 KiB.
func PutLogRecord(buf []byte, r *LogRecord) (int, error) { return outgoing{log: r}.put(buf) }

// AppendDeclaration appends a guest's declaration to dst.
func AppendDeclaration(dst []byte, d *Declaration) ([]byte, error) {
	return outgoing{declaration: d}.append(dst)
}

// PutDeclaration writes a guest's declaration to the start of buf and returns
// its length.
func PutDeclaration(buf []byte, d *Declaration) (int, error) {
	return outgoing{declaration: d}.put(buf)
}

// AppendHostFunctions appends a list of host functions to dst.
func AppendHostFunctions(dst []byte, h *HostFunctions) ([]byte, error) {
	return outgoing{functions: h}.append(dst)
}

// PutHostFunctions writes a list of host functions to the start of buf and
// returns its length.
func PutHostFunctions(buf []byte, h *HostFunctions) (int, error) {
	return outgoing{functions: h}.put(buf)
}

// outgoing is a message to be sent: one of its fields is set. It is a struct and
// not an interface, because what is behind an interface is allocated.
type outgoing struct {
	call        *Call
	result      *Result
	info        *ErrorInfo
	log         *LogRecord
	declaration *Declaration
	functions   *HostFunctions
}

// check returns why the message can't be sent, or nil, and its name.
func (o outgoing) check() (*Error, string) {
	switch {
	case o.call != nil:
		return checkCall(o.call), callMessage.name
	case o.result != nil:
		return checkResult(o.result), resultMessage.name
	case o.info != nil:
		return checkError(o.info), errorMessage.name
	case o.log != nil:
		return checkLogRecord(o.log), logMessage.name
	case o.declaration != nil:
		return checkDeclaration(o.declaration), declarationMessage.name
	case o.functions != nil:
		return checkHostFunctions(o.functions), hostFunctionsMessage.name
	}
	return unfit(ErrMissing, 0, 0), "message" // a nil pointer
}

// write writes the message into out, or measures it if out is nil.
func (o outgoing) write(out []byte) (size uint64) {
	w := writer{out: out}
	switch {
	case o.call != nil:
		w.call(o.call)
	case o.result != nil:
		w.result(o.result)
	case o.info != nil:
		w.errorInfo(o.info)
	case o.log != nil:
		w.logRecord(o.log)
	case o.declaration != nil:
		w.declaration(o.declaration)
	case o.functions != nil:
		w.hostFunctions(o.functions)
	}
	w.finish()
	return w.pos
}

const (
	// boundMessage is more than a message has beside its values and names, and
	// boundValue than a value has beside its bytes.
	boundMessage = 128
	boundValue   = 64
)

// bound returns a length that the message doesn't exceed, if that is quick to
// say, else 0. What fits into that need not be measured before it is written.
func (o outgoing) bound() (n uint64) {
	switch {
	case o.call != nil:
		n = boundMessage + uint64(len(o.call.Name))
		for i := range o.call.Args {
			n += boundValue + o.call.Args[i].size()
		}
	case o.result != nil && o.result.Err == nil:
		n = boundMessage + boundValue + o.result.Value.size()
	}
	return n
}

// measure checks the message and returns its length, which is at most limit, or
// something longer that there is room for.
func (o outgoing) measure(limit, room int) (int, error) {
	e, name := o.check()
	if e != nil {
		return 0, e.in(name)
	}
	size := o.bound()
	if size == 0 || size > uint64(min(limit, room)) { //nolint:gosec // G115: lengths
		size = o.write(nil)
	}
	if size > uint64(limit) { //nolint:gosec // G115: a length
		return 0, unfit(ErrMessageSize, size, uint64(limit)).in(name) //nolint:gosec // G115: a length
	}
	return int(size), nil //nolint:gosec // G115: at most limit
}

func (o outgoing) append(dst []byte) ([]byte, error) { return o.appendWithin(dst, MaxMessage) }

func (o outgoing) appendWithin(dst []byte, limit int) ([]byte, error) {
	start := len(dst)
	size, err := o.measure(min(limit, MaxMessage), cap(dst)-start)
	if err != nil {
		return dst, err
	}
	if start == 0 && cap(dst) < size {
		dst = nil // of which there is nothing to copy, and which grows to no more than the size
	}
	dst = slices.Grow(dst, size)[:start+size]
	written := o.write(dst[start:])
	return dst[:start+int(written)], nil //nolint:gosec // G115: at most size
}

func (o outgoing) put(buf []byte) (int, error) {
	size, err := o.measure(min(len(buf), MaxMessage), len(buf))
	if err != nil {
		return 0, err
	}
	return int(o.write(buf[:size:size])), nil //nolint:gosec // G115: at most size
}
