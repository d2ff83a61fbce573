package kvm

import (
	"errors"
	"unsafe"
)

// wordPages is how many pages a word of a dirty bitmap stands for.
const wordPages = 64

// KeepDirtyLog makes DirtyLog leave the log as it is: only ClearDirtyLog takes
// pages out of it, and makes the kernel watch for the next write to them. To be
// called before a memory slot has MemLogDirtyPages.
func (v *VM) KeepDirtyLog() error {
	c := enableCap{capability: uint32(CapDirtyLogProtect2), args: [4]uint64{1}} // KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE
	if _, err := ioctlPtr(v.fd, reqEnableCap, unsafe.Pointer(&c)); err != nil {
		return &Error{"KVM_ENABLE_CAP", err}
	}
	return nil
}

// DirtyLog sets a bit for each page of a slot that the guest, or KVM for it, has
// written to since the page was taken out of the log. The bitmap has a bit for
// each page of the slot, rounded up to whole words. What the host writes is not
// in it.
func (v *VM) DirtyLog(slot uint32, bitmap []uint64) error {
	d := dirtyLog{slot: slot, bitmap: unsafe.SliceData(bitmap)}
	if _, err := ioctlPtr(v.fd, reqGetDirtyLog, unsafe.Pointer(&d)); err != nil {
		return &Error{"KVM_GET_DIRTY_LOG", err}
	}
	return nil
}

// ClearDirtyLog takes pages out of the log: those with a bit set in the bitmap,
// whose first bit stands for firstPage, a multiple of 64. The slot has pages
// pages in all.
func (v *VM) ClearDirtyLog(slot uint32, pages, firstPage uint64, bitmap []uint64) error {
	// "num_pages must be a multiple of 64 unless it reaches the end of the slot".
	n := min(uint64(len(bitmap))*wordPages, pages-min(firstPage, pages))
	if firstPage%wordPages != 0 || n == 0 || n > 1<<31 {
		return &Error{"KVM_CLEAR_DIRTY_LOG", errors.New("not whole words of the slot")}
	}
	d := clearDirtyLog{slot: slot, pages: uint32(n), firstPage: firstPage, bitmap: unsafe.SliceData(bitmap)} //nolint:gosec // G115: checked
	if _, err := ioctlPtr(v.fd, reqClearDirtyLog, unsafe.Pointer(&d)); err != nil {
		return &Error{"KVM_CLEAR_DIRTY_LOG", err}
	}
	return nil
}
