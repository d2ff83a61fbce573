package wire

// This file lays out each kind of message: what follows what. All fields are
// written, also those that could be left out, so that each kind of table has
// one layout.

func (w *writer) call(c *Call) {
	root := w.header(&callMessage)
	w.patch(root, w.table(shapeTwo))
	name, params := w.hole(), w.hole()
	w.text(name, c.Name)
	slot := w.list(params, len(c.Args))
	for i := range c.Args {
		w.patch(slot, w.table(shapeTwo))
		w.union(&c.Args[i])
		slot += 4
	}
}

func (w *writer) result(r *Result) {
	root := w.header(&resultMessage)
	w.patch(root, w.table(shapeTwo))
	if r.Err == nil {
		w.union(&r.Value)
		return
	}
	w.u32(uint32(outcomeError))
	outcome := w.hole()
	w.patch(outcome, w.errorTable(r.Err))
}

func (w *writer) errorInfo(e *ErrorInfo) {
	root := w.header(&errorMessage)
	w.patch(root, w.errorTable(e))
}

func (w *writer) errorTable(e *ErrorInfo) (pos uint64) {
	pos = w.table(shapeTwo)
	w.u32(uint32(e.Code))
	message := w.hole()
	w.text(message, clean(e.Message, MaxErrorText))
	return pos
}

// union writes the two fields of a union, and then the table of its value.
func (w *writer) union(v *Value) {
	w.u32(uint32(v.kind))
	slot := w.hole()
	switch v.kind {
	case KindInt32, KindUint32, KindFloat32, KindBool:
		w.patch(slot, w.table(shapeOne))
		w.u32(uint32(v.bits)) //nolint:gosec // G115: the upper bits are the sign
	case KindInt64, KindUint64, KindFloat64:
		w.patch(slot, w.table(shapeLong))
		w.u64(v.bits)
	case KindString:
		w.patch(slot, w.table(shapeOne))
		w.text(w.hole(), v.text)
	case KindBytes:
		w.patch(slot, w.table(shapeOne))
		w.bytes(w.hole(), v.data)
	case KindVoid:
		w.patch(slot, w.table(shapeEmpty))
	case KindInvalid: // refused before
	}
}

func (w *writer) logRecord(r *LogRecord) {
	root := w.header(&logMessage)
	w.patch(root, w.table(shapeLog))
	w.u32(uint32(r.Level))
	message, source, file := w.hole(), w.hole(), w.hole()
	w.u32(r.Line)
	attributes := w.hole()
	w.text(message, clean(r.Message, MaxLogText))
	w.text(source, clean(r.Source, MaxLogSource))
	w.text(file, clean(r.File, MaxLogFile))
	slot := w.list(attributes, len(r.Attrs))
	for i := range r.Attrs {
		w.patch(slot, w.table(shapeTwo))
		key, value := w.hole(), w.hole()
		w.text(key, clean(r.Attrs[i].Key, MaxLogKey))
		w.text(value, clean(r.Attrs[i].Value, MaxLogValue))
		slot += 4
	}
}

func (w *writer) declaration(d *Declaration) {
	root := w.header(&declarationMessage)
	w.patch(root, w.table(shapeDeclaration))
	exports, imports, name, version := w.hole(), w.hole(), w.hole(), w.hole()
	w.functions(exports, d.Exports)
	w.functions(imports, d.Imports)
	w.text(name, d.SDKName)
	w.text(version, d.SDKVersion)
}

func (w *writer) hostFunctions(h *HostFunctions) {
	root := w.header(&hostFunctionsMessage)
	w.patch(root, w.table(shapeOne))
	w.functions(w.hole(), h.Functions)
}

func (w *writer) functions(hole uint64, functions []Function) {
	slot := w.list(hole, len(functions))
	for i := range functions {
		f := &functions[i]
		w.patch(slot, w.table(shapeFunction))
		name, params := w.hole(), w.hole()
		w.u32(uint32(f.Return))
		w.text(name, f.Name)
		w.align(4)
		w.patch(params, w.pos)
		w.u32(uint32(len(f.Params))) //nolint:gosec // G115: at most MaxParams
		for _, kind := range f.Params {
			w.u8(uint8(kind))
		}
		slot += 4
	}
}
