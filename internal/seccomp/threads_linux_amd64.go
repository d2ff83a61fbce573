package seccomp

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"golang.org/x/net/bpf"
)

// keepThreads is how long a thread that nobody uses is kept.
const keepThreads = 10 * time.Second

// threads are the pools of this process by their programs: who has equal rules
// uses the same threads, whatever sandbox it belongs to. A pool is forgotten with
// its last user.
var threads = struct {
	mu    sync.Mutex
	pools map[string]*sharedPool // guarded by mu
}{pools: map[string]*sharedPool{}}

type sharedPool struct {
	*Pool[*Thread]
	users int // guarded by threads.mu
}

// Threads is a share in a pool of threads under one program.
type Threads struct {
	key  string
	pool *sharedPool
}

// JoinThreads returns a share in the pool of the threads under a program. It
// starts none. Leave must be called once.
func JoinThreads(program []bpf.RawInstruction) *Threads {
	var key []byte
	for _, in := range program {
		key = binary.LittleEndian.AppendUint16(key, in.Op)
		key = binary.LittleEndian.AppendUint32(append(key, in.Jt, in.Jf), in.K)
	}
	threads.mu.Lock()
	defer threads.mu.Unlock()
	pool, ok := threads.pools[string(key)]
	if !ok {
		pool = &sharedPool{Pool: NewPool(keepThreads, func(context.Context) (*Thread, error) { return StartThread(program) })}
		threads.pools[string(key)] = pool
	}
	pool.users++
	pool.Join()
	return &Threads{key: string(key), pool: pool}
}

// Leave gives the share back.
func (s *Threads) Leave() {
	threads.mu.Lock()
	defer threads.mu.Unlock()
	s.pool.Leave()
	if s.pool.users--; s.pool.users == 0 {
		delete(threads.pools, s.key)
	}
}

// Do calls fn on a thread of the pool, as [Thread.Do] does. The error is
// ErrEnded, or says why there is no thread.
func (s *Threads) Do(fn func()) (first Denial, denied int, err error) {
	t, err := s.pool.Get(context.Background())
	if err != nil {
		return first, 0, err
	}
	first, denied, err = t.Do(fn)
	s.pool.Put(t)
	return first, denied, err
}

// supported remembers that a thread could be started.
var supported struct {
	mu sync.Mutex
	ok bool // guarded by mu
}

// Supported returns nil, or an error that wraps ErrUnsupported. It tries it.
func Supported() error {
	supported.mu.Lock()
	defer supported.mu.Unlock()
	if supported.ok {
		return nil
	}
	r, err := FindRuntime()
	if err != nil {
		return err
	}
	program, err := Compile(Base(r))
	if err != nil {
		return err
	}
	t, err := StartThread(program)
	if err != nil {
		return err
	}
	t.Close()
	supported.ok = true
	return nil
}
