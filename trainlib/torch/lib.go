package torch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ebitengine/purego"
)

// abi is MT_ABI of mdstorch.h.
const abi = 6

// library is libtorch and its shim, loaded: the functions of mdstorch.h. It is made once per process and never unloaded.
type library struct {
	at   Location
	cuda bool // libtorch_cuda is loaded

	opCall uintptr // mt_op_call, called through SyscallN

	version       func() string
	abiVersion    func() int32
	free          func(p uintptr)
	tuneMalloc    func()
	deviceCount   func(kind int32) int32
	setThreads    func(n int32)
	getThreads    func() int32
	manualSeed    func(seed uint64) uintptr
	rngGet        func(kind, index int32, r *uintptr) uintptr
	rngSet        func(kind, index int32, state uintptr) uintptr
	setOption     func(option, value int32) uintptr
	clearAutocast func()
	emptyCache    func(kind int32) uintptr
	memoryStats   func(kind, index int32, bytes *int64) uintptr
	resetPeak     func(kind, index int32) uintptr
	synchronize   func(kind, index int32) uintptr

	opFind func(name, overload string, op, schema *uintptr) uintptr

	release     func(h uintptr)
	releaseMany func(h *uintptr, n int64)
	retain      func(h uintptr) uintptr
	info        func(h uintptr, o *info) uintptr
	fromData    func(data unsafe.Pointer, sizes *int64, ndim, dtype, pinned int32, r *uintptr) uintptr

	backward        func(c *callState, t *uintptr, n int64, grads *uintptr, retain, create int32) uintptr
	autogradGrad    func(c *callState, outs *uintptr, n int64, in *uintptr, m int64, gradOuts *uintptr, retain, create, unused int32, r *uintptr) uintptr
	grads           func(t *uintptr, n int64, r *uintptr) uintptr
	setGrad         func(t, g uintptr) uintptr
	zeroGrads       func(t *uintptr, n int64) uintptr
	setRequiresGrad func(t uintptr, v int32) uintptr
	setData         func(t, data uintptr) uintptr
	gradFn          func(t uintptr, name *uintptr) uintptr

	streamNew         func(kind, index int32, r *uintptr) uintptr
	streamCurrent     func(kind, index int32, r *uintptr) uintptr
	streamSynchronize func(s uintptr) uintptr
	streamFree        func(s uintptr)
	eventNew          func(kind int32, r *uintptr) uintptr
	eventRecord       func(e, s uintptr) uintptr
	eventBlock        func(e, s uintptr) uintptr
	eventQuery        func(e uintptr, done *int32) uintptr
	eventSynchronize  func(e uintptr) uintptr
	eventFree         func(e uintptr)

	tcpStoreNew    func(host string, port, server int32, world int64, wait int32, timeoutMS int64, r *uintptr, bound *int32) uintptr
	prefixStoreNew func(prefix string, s uintptr, r *uintptr) uintptr
	storeFree      func(s uintptr)
	storeSet       func(s uintptr, key string, value unsafe.Pointer, n int64) uintptr
	storeGet       func(s uintptr, key string, value *uintptr, n *int64) uintptr
	storeAdd       func(s uintptr, key string, delta int64, sum *int64) uintptr
	storeCheck     func(s uintptr, key string, there *int32) uintptr
	storeDelete    func(s uintptr, key string, deleted *int32) uintptr
	storeWait      func(s uintptr, key string, timeoutMS int64) uintptr

	pgNew              func(store uintptr, rank, world int32, r *uintptr) uintptr
	pgAddGloo          func(pg uintptr, rank, world int32, timeoutMS int64, iface string, cuda int32) uintptr
	pgAbort            func(pg uintptr) uintptr
	pgFree             func(pg uintptr, well int32)
	allReduce          func(c *callState, pg uintptr, t *uintptr, n int64, op int32) uintptr
	broadcast          func(c *callState, pg, t uintptr, src int32) uintptr
	broadcastCoalesced func(c *callState, pg uintptr, t *uintptr, n, bytes int64, src int32) uintptr
	allGather          func(c *callState, pg uintptr, out *uintptr, n int64, in uintptr) uintptr
	barrier            func(c *callState, pg uintptr) uintptr

	reducerNew             func(pg uintptr, t *uintptr, n int64, names **byte, bytes, firstBytes int64, unused, view int32, r *uintptr) uintptr
	reducerPrepareForward  func(c *callState, r uintptr, rebuilt *int32) uintptr
	reducerPrepareBackward func(c *callState, r uintptr, outs *uintptr, n int64) uintptr
	reducerFree            func(r uintptr)

	// of the second library; nil where it is not built
	pgAddNCCL   func(pg uintptr, rank, world int32, timeoutMS int64) uintptr
	graphNew    func(r *uintptr) uintptr
	graphBegin  func(c *callState, g uintptr) uintptr
	graphEnd    func(c *callState, g uintptr) uintptr
	graphReplay func(c *callState, g uintptr) uintptr
	graphFree   func(g uintptr)
}

// symbols names the C function of each field, in the order of mdstorch.h.
func (l *library) symbols() map[string]any {
	return map[string]any{
		"mt_torch_version": &l.version, "mt_abi": &l.abiVersion, "mt_free": &l.free, "mt_tune_malloc": &l.tuneMalloc, "mt_device_count": &l.deviceCount,
		"mt_set_num_threads": &l.setThreads, "mt_get_num_threads": &l.getThreads, "mt_manual_seed": &l.manualSeed,
		"mt_rng_get": &l.rngGet, "mt_rng_set": &l.rngSet, "mt_set_option": &l.setOption, "mt_autocast_clear_cache": &l.clearAutocast,
		"mt_empty_cache": &l.emptyCache, "mt_memory_stats": &l.memoryStats, "mt_memory_reset_peak": &l.resetPeak, "mt_synchronize": &l.synchronize,
		"mt_op_find": &l.opFind,
		"mt_release": &l.release, "mt_release_many": &l.releaseMany, "mt_retain": &l.retain, "mt_tensor_info": &l.info, "mt_from_data": &l.fromData,
		"mt_backward": &l.backward, "mt_autograd_grad": &l.autogradGrad, "mt_grads": &l.grads, "mt_set_grad": &l.setGrad,
		"mt_zero_grads": &l.zeroGrads, "mt_set_requires_grad": &l.setRequiresGrad, "mt_set_data": &l.setData, "mt_grad_fn": &l.gradFn,
		"mt_stream_new": &l.streamNew, "mt_stream_current": &l.streamCurrent, "mt_stream_synchronize": &l.streamSynchronize, "mt_stream_free": &l.streamFree,
		"mt_event_new": &l.eventNew, "mt_event_record": &l.eventRecord, "mt_event_block": &l.eventBlock, "mt_event_query": &l.eventQuery,
		"mt_event_synchronize": &l.eventSynchronize, "mt_event_free": &l.eventFree,
		"mt_tcp_store_new": &l.tcpStoreNew, "mt_prefix_store_new": &l.prefixStoreNew, "mt_store_free": &l.storeFree, "mt_store_set": &l.storeSet,
		"mt_store_get": &l.storeGet, "mt_store_add": &l.storeAdd, "mt_store_check": &l.storeCheck, "mt_store_delete": &l.storeDelete, "mt_store_wait": &l.storeWait,
		"mt_pg_new": &l.pgNew, "mt_pg_add_gloo": &l.pgAddGloo, "mt_pg_abort": &l.pgAbort, "mt_pg_free": &l.pgFree,
		"mt_allreduce": &l.allReduce, "mt_broadcast": &l.broadcast, "mt_broadcast_coalesced": &l.broadcastCoalesced, "mt_allgather": &l.allGather, "mt_barrier": &l.barrier,
		"mt_reducer_new": &l.reducerNew, "mt_reducer_prepare_forward": &l.reducerPrepareForward, "mt_reducer_prepare_backward": &l.reducerPrepareBackward, "mt_reducer_free": &l.reducerFree,
	}
}

func (l *library) cudaSymbols() map[string]any {
	return map[string]any{
		"mtc_pg_add_nccl": &l.pgAddNCCL, "mtc_graph_new": &l.graphNew, "mtc_graph_begin": &l.graphBegin, "mtc_graph_end": &l.graphEnd,
		"mtc_graph_replay": &l.graphReplay, "mtc_graph_free": &l.graphFree,
	}
}

// loaded is the one libtorch of the process: a dlopened library is process-wide state whatever we do.
var loaded struct {
	lib atomic.Pointer[library]
	sync.Mutex
}

// LoadError is what the first tensor operation panics with when libtorch cannot be found, built against or loaded.
type LoadError struct{ Err error }

func (e *LoadError) Error() string { return e.Err.Error() }
func (e *LoadError) Unwrap() error { return e.Err }

// Load finds libtorch, builds its shim if need be and loads both. The first tensor operation does the same by itself, so a
// program calls Load only to see the error, or to spend the time (some 0.3 s, some 15 s when the shim must be built) where
// it wants to. It may be called many times and from several goroutines; after a failure the next call tries again.
func Load(ctx context.Context) error {
	_, err := load(ctx)
	return err
}

func load(ctx context.Context) (*library, error) {
	if l := loaded.lib.Load(); l != nil {
		return l, nil
	}
	loaded.Lock()
	defer loaded.Unlock()
	if l := loaded.lib.Load(); l != nil {
		return l, nil
	}
	at, err := Find()
	if err != nil {
		return nil, err
	}
	so, err := BuildShim(ctx, BuildOptions{Torch: at})
	if err != nil {
		return nil, err
	}
	l, err := open(at, so)
	if err != nil {
		return nil, err
	}
	loaded.lib.Store(l)
	return l, nil
}

// lib is the loaded library; it panics with a *LoadError where there is none.
func lib() *library {
	if l := loaded.lib.Load(); l != nil {
		return l
	}
	l, err := load(context.Background())
	if err != nil {
		panic(&LoadError{err})
	}
	return l
}

// open loads libtorch, then libtorch_cuda where an NVIDIA driver is (its kernels register with the dispatcher as it loads),
// then the shim. RTLD_NOW: a shim built for another version fails here, by a missing symbol, and not in the middle of a step.
func open(at Location, so string) (*library, error) {
	l := &library{at: at}
	err := calmly(func() error {
		for _, name := range []string{"libc10.so", "libtorch_cpu.so"} {
			if _, err := purego.Dlopen(filepath.Join(at.Lib, name), purego.RTLD_NOW|purego.RTLD_GLOBAL); err != nil {
				return fmt.Errorf("torch: loading libtorch %s: %w", at.Version, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if at.CUDA && hasDriver() {
		for _, name := range []string{"libc10_cuda.so", "libtorch_cuda.so"} {
			if _, err := purego.Dlopen(filepath.Join(at.Lib, name), purego.RTLD_NOW|purego.RTLD_GLOBAL); err != nil {
				if os.Getenv("CUDA_VISIBLE_DEVICES") != "" {
					return nil, fmt.Errorf("torch: CUDA_VISIBLE_DEVICES is set, but libtorch's CUDA part does not load (is it the lean CPU installation?): %w", err)
				}
				break
			}
			l.cuda = name == "libtorch_cuda.so"
		}
	}
	h, err := purego.Dlopen(so, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("torch: loading the shim for libtorch %s (remove %s to have it built again): %w", at.Version, filepath.Dir(so), err)
	}
	if err := bind(h, so, l.symbols()); err != nil {
		return nil, err
	}
	if l.opCall, err = purego.Dlsym(h, "mt_op_call"); err != nil {
		return nil, fmt.Errorf("torch: %s: %w", so, err)
	}
	if got := l.abiVersion(); got != abi {
		return nil, fmt.Errorf("torch: %s has ABI %d, want %d: remove its folder to have it built again", so, got, abi)
	}
	l.tuneMalloc()
	if second := filepath.Join(filepath.Dir(so), shimCUDAName); l.cuda && isFile(second) {
		h, err := purego.Dlopen(second, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			return nil, fmt.Errorf("torch: loading the shim for NCCL: %w", err)
		}
		if err := bind(h, second, l.cudaSymbols()); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func bind(h uintptr, so string, symbols map[string]any) error {
	for name, fn := range symbols {
		sym, err := purego.Dlsym(h, name)
		if err != nil {
			return fmt.Errorf("torch: %s: %w", so, err)
		}
		purego.RegisterFunc(fn, sym)
	}
	return nil
}

// hasDriver reports whether NVIDIA's driver is installed: loading half a gigabyte of kernels is worth it only then.
// An empty CUDA_VISIBLE_DEVICES hides all GPUs, as it does from every CUDA program.
func hasDriver() bool {
	if visible, set := os.LookupEnv("CUDA_VISIBLE_DEVICES"); set && (visible == "" || visible == "-1") {
		return false
	}
	if h, err := purego.Dlopen("libcuda.so.1", purego.RTLD_LAZY|purego.RTLD_LOCAL); err == nil {
		purego.Dlclose(h)
		return true
	}
	return false
}

// Version is the version of the loaded libtorch, such as "2.15.0".
func Version() string { return lib().version() }

// SetNumThreads sets how many threads one operator may use, as torch.set_num_threads. Several local ranks should each take
// their share of the cores. It counts for the calling OS thread's operators from now on.
func SetNumThreads(n int) { lib().setThreads(int32(n)) }

// GetNumThreads is how many threads one operator may use.
func GetNumThreads() int { return int(lib().getThreads()) }

// ManualSeed seeds the generators of all devices, as torch.manual_seed: the same seed gives the numbers that Python gets.
func ManualSeed(seed int64) { check("manual_seed", lib().manualSeed(uint64(seed))) }

// fetch copies a C string and leaves it with its owner.
func fetch(p uintptr) string {
	if p == 0 {
		return ""
	}
	b := pointer(p)
	n := 0
	for *(*byte)(unsafe.Add(b, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(b), n))
}

// pointer turns an address of C memory into a pointer.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// message takes a message returned by the shim: its text without libtorch's postscript, and the memory freed.
func message(e uintptr) string {
	s := fetch(e)
	loaded.lib.Load().free(e)
	if i := strings.Index(s, "\nException raised from"); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

// check panics with an *OpError when a call of the shim returned a message.
func check(op string, e uintptr, args ...*Tensor) {
	if e != 0 {
		panic(newOpError(op, message(e), args))
	}
}

// failure is check for the functions that return errors.
func failure(what string, e uintptr) error {
	if e == 0 {
		return nil
	}
	return fmt.Errorf("torch: %s: %s", what, message(e))
}

func cbool(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
