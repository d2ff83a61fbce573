package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// pipe is a process that serves calls by pipes, as guest/plain.c describes.
type pipe struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	// message is what was sent last, for its memory.
	message []byte
}

func startPipe(ctx context.Context, path string) (*pipe, error) {
	p := &pipe{cmd: exec.CommandContext(ctx, path)} //nolint:gosec // G204: a program of this directory
	p.cmd.Env = programEnv()
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReaderSize(out, 64<<10)
	return p, p.cmd.Start()
}

// close lets the process end and waits for that.
func (p *pipe) close() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }

func (p *pipe) send(kind byte, content []byte) error {
	p.message = binary.LittleEndian.AppendUint32(p.message[:0], uint32(len(content))) //nolint:gosec // G115: a message's size
	p.message = append(append(p.message, kind), content...)
	_, err := p.in.Write(p.message)
	return err
}

func (p *pipe) receive() (kind byte, content []byte, err error) {
	var header [5]byte
	if _, err := io.ReadFull(p.out, header[:]); err != nil {
		return 0, nil, err
	}
	content = make([]byte, binary.LittleEndian.Uint32(header[:]))
	_, err = io.ReadFull(p.out, content)
	return header[4], content, err
}

// call sends a request and answers what the process asks until it has answered.
func (p *pipe) call(kind byte, argument []byte) error {
	if err := p.send(kind, argument); err != nil {
		return err
	}
	for {
		kind, content, err := p.receive()
		switch {
		case err != nil:
			return err
		case kind == 'r':
			return expect(len(content) == len(argument), nil)
		case kind != 'h':
			return fmt.Errorf("a process sent a message of kind %q", kind)
		}
		if err := p.send('r', content); err != nil {
			return err
		}
	}
}
