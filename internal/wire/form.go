package wire

import (
	"encoding/binary"
	"slices"
)

// Form is a function as its calls see it. Most functions have parameters of fixed
// sizes only, or one last that is text or bytes: but for the arguments, all
// messages that this package writes for a call of such a function are the same.
// That part is kept here, to be copied into a message that is written and to be
// compared with one that is read. Calls of all other functions, and messages that
// are laid out in another way, take the general way; a fuzz target compares both.
//
// A Form does not change: it may be used by several goroutines.
type Form struct {
	name   string
	params []Kind

	// fixed is a call up to the bytes of the last argument if that has any, or its
	// end. The size prefix and the arguments in it are zero. It is nil if there is
	// only the general way.
	fixed  []byte
	places []place // of the arguments in fixed, in order
	tail   Kind    // of the last parameter if that is text or bytes, else KindInvalid
}

// place is where an argument of fixed size is.
type place struct{ at, size int }

// NewForm returns the Form of a function. Name and params may be anything: what
// can't be sent is refused when it is to be.
func NewForm(name string, params []Kind) *Form {
	f := &Form{name: name, params: params}
	zero := Call{Name: name, Args: make([]Value, len(params))}
	for i, kind := range params {
		zero.Args[i].kind = kind
		if kind.hasBytes() && i < len(params)-1 {
			return f
		}
	}
	if len(params) > 0 && params[len(params)-1].hasBytes() {
		f.tail = params[len(params)-1]
	}
	fixed, err := AppendCall(nil, &zero)
	if err != nil {
		return f
	}
	for i, kind := range params[:len(params)-f.tails()] {
		f.places = append(f.places, findPlace(&zero, i, kind, fixed))
	}
	if f.tail == KindString {
		fixed = fixed[:len(fixed)-1] // its NUL
	}
	if f.tail != KindInvalid {
		fixed = fixed[:len(fixed)-lengthSize]
	}
	clear(fixed[:rootPosition])
	f.fixed = fixed
	return f
}

// Name returns the function's name.
func (f *Form) Name() string { return f.name }

// lengthSize is what comes before the bytes of a text or of bytes: how many.
const lengthSize = 4

// findPlace returns where an argument is: where the message differs if that does.
func findPlace(zero *Call, i int, kind Kind, fixed []byte) place {
	zero.Args[i].bits = ^uint64(0)
	defer func() { zero.Args[i].bits = 0 }()
	other := make([]byte, len(fixed))
	outgoing{call: zero}.write(other)
	at := 0
	for fixed[at] == other[at] {
		at++
	}
	return place{at, kind.fixedSize()}
}

// tails is how many parameters come behind the fixed part.
func (f *Form) tails() int {
	if f.tail == KindInvalid {
		return 0
	}
	return 1
}

// Put is [PutCall] for a call of this function.
func (f *Form) Put(buf []byte, args []Value) (int, error) {
	size, ok := f.size(args)
	if ok && size > min(len(buf), MaxMessage) {
		return 0, tooLong(size, buf, &callMessage)
	}
	if !ok || f.tail == KindString && !isTextString(args[len(args)-1].text) {
		return PutCall(buf, &Call{Name: f.name, Args: args}) // which says why not
	}
	out := buf[:size:size]
	n := copy(out, f.fixed)
	binary.LittleEndian.PutUint32(out, uint32(size-rootPosition)) //nolint:gosec // G115: at most MaxMessage
	for i, p := range f.places {
		putScalar(out[p.at:p.at+p.size], args[i].bits) //nolint:gosec // G602: there are as many as parameters
	}
	if f.tail != KindInvalid {
		putTail(out[n:], &args[len(args)-1])
	}
	return size, nil
}

// tooLong is why a message is refused before its text is looked at: it may be put
// into a longer buffer next.
func tooLong(size int, buf []byte, m *message) error {
	return unfit(ErrMessageSize, uint64(size), uint64(min(len(buf), MaxMessage))).in(m.name) //nolint:gosec // G115: lengths
}

// size returns the length of a call with these arguments, or false if it takes the
// general way.
func (f *Form) size(args []Value) (size int, ok bool) {
	if f.fixed == nil || len(args) != len(f.params) {
		return 0, false
	}
	for i, kind := range f.params {
		if args[i].kind != kind {
			return 0, false
		}
	}
	if f.tail == KindInvalid {
		return len(f.fixed), true
	}
	return len(f.fixed) + args[len(args)-1].tailSize(), true
}

// tailSize returns how many bytes putTail writes.
func (v *Value) tailSize() int {
	if v.kind == KindString {
		return lengthSize + len(v.text) + 1
	}
	return lengthSize + len(v.data)
}

// putTail writes text or bytes, which is what out has room for.
func putTail(out []byte, v *Value) {
	if v.kind == KindString {
		binary.LittleEndian.PutUint32(out, uint32(len(v.text))) //nolint:gosec // G115: less than MaxMessage
		copy(out[lengthSize:], v.text)
		out[len(out)-1] = 0
		return
	}
	binary.LittleEndian.PutUint32(out, uint32(len(v.data))) //nolint:gosec // G115: less than MaxMessage
	copy(out[lengthSize:], v.data)
}

// putScalar writes a number of 4 or 8 bytes.
func putScalar(out []byte, bits uint64) {
	if len(out) == 4 {
		binary.LittleEndian.PutUint32(out, uint32(bits)) //nolint:gosec // G115: the upper bits are the sign
		return
	}
	binary.LittleEndian.PutUint64(out, bits)
}

// Read appends the arguments of a call of this function to args. It returns false
// for any message that is not laid out as Put does it, whether it is a call or not.
//
// Guest-controlled: every byte of msg. It must be a private copy: nobody else
// may change it. Arguments of KindBytes are parts of msg; text is copied, to room if
// there is any.
func (f *Form) Read(args []Value, msg []byte, room *Room) ([]Value, bool) {
	n := len(f.fixed)
	if f.fixed == nil || len(msg) < n || Length(msg) != uint64(len(msg)) || len(msg) > MaxMessage {
		return args, false
	}
	start, from := len(args), rootPosition
	args = slices.Grow(args, len(f.params))[:start+len(f.params)]
	for i, p := range f.places {
		end := p.at + p.size
		v := &args[start+i]
		v.Clear()
		v.kind = f.params[i]
		if !v.plainScalar(msg[p.at:end]) || string(msg[from:p.at]) != string(f.fixed[from:p.at]) {
			return args[:start], false
		}
		from = end
	}
	if string(msg[from:n]) != string(f.fixed[from:]) {
		return args[:start], false
	}
	if f.tail == KindInvalid {
		if len(msg) != n {
			return args[:start], false
		}
		return args, true
	}
	v := &args[len(args)-1]
	v.Clear()
	v.kind = f.tail
	if !v.plainBytes(msg[n:], room) {
		return args[:start], false
	}
	return args, true
}

// Reader decodes calls of functions that are known, one after the other. It is
// not for several goroutines.
type Reader struct {
	// Call is the one that was decoded last. Its Args are overwritten by the next.
	Call
	// Room is used for text.
	Room Room

	form func(name string) *Form
	last *Form
}

// NewReader returns a Reader that gets the Form of a function from form, which
// returns nil for a function that isn't known, or not worth remembering.
func NewReader(form func(name string) *Form) *Reader { return &Reader{form: form} }

// Read verifies and decodes a call. After an error Call is empty.
//
// Guest-controlled: every byte of msg, as for [DecodeCall].
func (r *Reader) Read(msg []byte) (err error) {
	if r.last != nil {
		var ok bool
		if r.Args, ok = r.last.Read(r.Args[:0], msg, &r.Room); ok {
			r.Name = r.last.name
			return nil
		}
	}
	r.Forget()
	if r.Call, err = decodeCallInto(r.Call, msg); err != nil {
		return err
	}
	if form := r.form(r.Name); form != nil {
		r.last = form
	}
	return nil
}

// Forget lets go of what the last call holds.
func (r *Reader) Forget() { Forget(r.Args[:cap(r.Args)]) }
