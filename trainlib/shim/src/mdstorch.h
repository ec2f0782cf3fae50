// The whole C surface between gomosaic and libtorch. trainlib/torch calls these functions through purego; nothing else does.
//
//   handle    a c10::TensorImpl* that owns one reference; NULL is the undefined tensor. Release with mt_release.
//   error     every fallible function returns NULL, or a malloc'd UTF-8 message to be released with mt_free. There is no
//             "last error" per thread: a goroutine may be on another thread by the time it asks.
//   state     grad mode, autocast, device and stream travel with each call in mt_ctx and are restored on return.
//   floats    travel inside mt_val, never as C doubles: purego passes integer registers alone on its fast path.
//   memory    the caller's arrays are read during the call only; the shim keeps no pointer to them.
#pragma once
#include <stdint.h>

#define MT_ABI 6 // raised whenever a signature or a layout below changes

#ifdef __cplusplus
extern "C" {
#endif
#define MT_API __attribute__((visibility("default")))

enum {
  MT_NONE,
  MT_TENSOR,  // p: handle; in results n = KiB of its elements
  MT_INT,     // i; dtype, layout and memory format travel so, too
  MT_DOUBLE,  // d
  MT_BOOL,    // i
  MT_STRING,  // p, n bytes
  MT_INTS,    // p: int64_t[n]
  MT_DOUBLES, // p: double[n]
  MT_BOOLS,   // p: uint8_t[n]
  MT_TENSORS, // p: handle[n], NULL entries where the schema takes Tensor?[]
  MT_DEVICE,  // i = type << 32 | uint8 index
  MT_DEFAULT, // take the schema's default
  MT_STREAM,  // p: from mt_stream_new
  MT_OTHER    // a result of a kind that has no tag; dropped
};

typedef struct {
  int32_t tag, n;
  union {
    int64_t i;
    double d;
    void* p;
  } v;
} mt_val; // 16 bytes

typedef struct {
  int8_t grad, inference, autocast_cpu, autocast_cuda; // 0 or 1
  int8_t cpu_dtype, cuda_dtype;                        // ScalarType under autocast
  int8_t dev_type, dev_index;                          // dev_index < 0: leave the device alone
  void* stream;                                        // from mt_stream_new, or NULL
} mt_ctx;

typedef struct {
  int32_t dtype, dev_type, dev_index, ndim, requires_grad, contiguous, is_leaf, layout;
  int64_t numel, nbytes, storage_offset;
  const int64_t *sizes, *strides; // owned by the tensor: copy before the next call
  void* data;
} mt_info;

// ---- library
MT_API const char* mt_torch_version(void);
MT_API int mt_abi(void);
MT_API void mt_free(void*);
MT_API void mt_tune_malloc(void); // keep freed memory for the next step; $MALLOC_… variables win
MT_API int mt_device_count(int dev_type);
MT_API void mt_set_num_threads(int);
MT_API int mt_get_num_threads(void);
MT_API char* mt_manual_seed(uint64_t);
MT_API char* mt_rng_get(int dev_type, int dev_index, void** state);
MT_API char* mt_rng_set(int dev_type, int dev_index, void* state);
enum { MT_DETERMINISTIC, MT_CUDNN_BENCHMARK, MT_MATMUL_PRECISION }; // value: 0 or 1; of the last 0 highest, 1 high, 2 medium
MT_API char* mt_set_option(int option, int value);
MT_API void mt_autocast_clear_cache(void);
MT_API char* mt_empty_cache(int dev_type);
// bytes[0..3]: allocated now and at most, reserved from the driver now and at most
MT_API char* mt_memory_stats(int dev_type, int dev_index, int64_t* bytes);
MT_API char* mt_memory_reset_peak(int dev_type, int dev_index);
MT_API char* mt_synchronize(int dev_type, int dev_index);

// ---- operators: any kernel of the dispatcher, boxed
MT_API char* mt_op_find(const char* name, const char* overload, void** op, char** schema);
// Missing trailing arguments and MT_DEFAULT take the schema's defaults. rcap 0 drops the results (in-place operators).
MT_API char* mt_op_call(const mt_ctx*, void* op, const mt_val* args, int n, mt_val* results, int rcap, int* nret);

// ---- tensors
MT_API void mt_release(void*);
MT_API void mt_release_many(void** h, int64_t n);
MT_API void* mt_retain(void*);
MT_API char* mt_tensor_info(void*, mt_info*);
MT_API char* mt_from_data(const void* data, const int64_t* sizes, int ndim, int dtype, int pinned, void** r); // copies

// ---- autograd
MT_API char* mt_backward(const mt_ctx*, void** t, int64_t n, void** grads, int retain, int create);
MT_API char* mt_autograd_grad(const mt_ctx*, void** outs, int64_t n, void** inputs, int64_t m, void** grad_outs, int retain,
                              int create, int allow_unused, void** r);
MT_API char* mt_grads(void** t, int64_t n, void** r);
MT_API char* mt_set_grad(void* t, void* g);
MT_API char* mt_zero_grads(void** t, int64_t n); // sets .grad to undefined, as zero_grad(set_to_none=True)
MT_API char* mt_set_requires_grad(void* t, int v);
MT_API char* mt_set_data(void* t, void* data); // t.data = data
MT_API char* mt_grad_fn(void* t, char** name); // "AddBackward0"; NULL for a leaf

// ---- streams and events, for any accelerator
MT_API char* mt_stream_new(int dev_type, int dev_index, void** r);
MT_API char* mt_stream_current(int dev_type, int dev_index, void** r);
MT_API char* mt_stream_synchronize(void* s);
MT_API void mt_stream_free(void* s);
MT_API char* mt_event_new(int dev_type, void** r);
MT_API char* mt_event_record(void* e, void* stream);
MT_API char* mt_event_block(void* e, void* stream); // the stream waits for the event
MT_API char* mt_event_query(void* e, int* done);
MT_API char* mt_event_synchronize(void* e);
MT_API void mt_event_free(void* e);

// ---- c10d (mdstorch_c10d.cpp)
MT_API char* mt_tcp_store_new(const char* host, int port, int is_server, int64_t world, int wait_workers, int64_t timeout_ms,
                              void** r, int* bound_port);
MT_API char* mt_prefix_store_new(const char* prefix, void* store, void** r);
MT_API void mt_store_free(void* s);
MT_API char* mt_store_set(void* s, const char* key, const void* value, int64_t n);
MT_API char* mt_store_get(void* s, const char* key, void** value, int64_t* n); // blocks until the key is there
MT_API char* mt_store_add(void* s, const char* key, int64_t delta, int64_t* sum);
MT_API char* mt_store_check(void* s, const char* key, int* there);
MT_API char* mt_store_delete(void* s, const char* key, int* deleted);
MT_API char* mt_store_wait(void* s, const char* key, int64_t timeout_ms);
MT_API char* mt_pg_new(void* store, int rank, int world, void** r);
MT_API char* mt_pg_add_gloo(void* pg, int rank, int world, int64_t timeout_ms, const char* iface, int cuda); // cuda: for GPU tensors, too
MT_API char* mt_pg_abort(void* pg);
MT_API void mt_pg_free(void* pg, int well); // well: no collective has failed, so NCCL may wait for those under way
MT_API char* mt_allreduce(const mt_ctx*, void* pg, void** t, int64_t n, int op);
MT_API char* mt_broadcast(const mt_ctx*, void* pg, void* t, int src);
MT_API char* mt_broadcast_coalesced(const mt_ctx*, void* pg, void** t, int64_t n, int64_t bytes, int src);
MT_API char* mt_allgather(const mt_ctx*, void* pg, void** out, int64_t n, void* in);
MT_API char* mt_barrier(const mt_ctx*, void* pg);
MT_API char* mt_reducer_new(void* pg, void** params, int64_t n, const char* const* names, int64_t bucket_bytes,
                            int64_t first_bucket_bytes, int find_unused, int bucket_view, void** r);
MT_API char* mt_reducer_prepare_forward(const mt_ctx*, void* r, int* rebuilt);
MT_API char* mt_reducer_prepare_backward(const mt_ctx*, void* r, void** outs, int64_t n);
MT_API void mt_reducer_free(void* r);

// ---- CUDA only (mdstorch_cuda.cpp, a second library): NCCL and graphs
MT_API char* mtc_pg_add_nccl(void* pg, int rank, int world, int64_t timeout_ms);
MT_API char* mtc_graph_new(void** r);
MT_API char* mtc_graph_begin(const mt_ctx*, void* g); // of what the state's stream is given, until mtc_graph_end
MT_API char* mtc_graph_end(const mt_ctx*, void* g);
MT_API char* mtc_graph_replay(const mt_ctx*, void* g);
MT_API void mtc_graph_free(void* g);

#ifdef __cplusplus
}
#endif
