// Stores, process groups, collectives and the gradient reducer: c10d as torch.distributed drives it, so that a Go rank can
// stand in a group of Python ranks.
#include "mdstorch_internal.h"

#define USE_C10D_GLOO 1
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/comm.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>
#include <type_traits>
#include <unordered_map>

using namespace mt;
using std::chrono::milliseconds;
using StorePtr = c10::intrusive_ptr<c10d::Store>;
using GroupPtr = c10::intrusive_ptr<c10d::ProcessGroup>;

// The first two members are what mdstorch_cuda.cpp sees of a group, too.
struct Group {
  StorePtr store;
  GroupPtr pg;
};
static StorePtr& store_of(void* s) {
  TORCH_CHECK(s, "the store is closed");
  return *static_cast<StorePtr*>(s);
}
static GroupPtr& group_of(void* p) {
  TORCH_CHECK(p, "the process group is closed");
  return static_cast<Group*>(p)->pg;
}

// ---- stores

char* mt_tcp_store_new(const char* host, int port, int is_server, int64_t world, int wait_workers, int64_t timeout_ms, void** r, int* bound_port) {
  return caught([&] {
    c10d::TCPStoreOptions o;
    o.port = static_cast<uint16_t>(port);
    o.isServer = is_server != 0;
    if (world > 0) o.numWorkers = static_cast<size_t>(world);
    o.waitWorkers = wait_workers != 0;
    o.timeout = milliseconds(timeout_ms);
    o.multiTenant = true; // as torch.distributed's env:// rendezvous
    auto s = c10::make_intrusive<c10d::TCPStore>(host, o);
    *bound_port = s->getPort();
    *r = new StorePtr(std::move(s));
  });
}
char* mt_prefix_store_new(const char* prefix, void* store, void** r) {
  return caught([&] { *r = new StorePtr(c10::make_intrusive<c10d::PrefixStore>(prefix, store_of(store))); });
}
void mt_store_free(void* s) {
  free(caught([&] { delete static_cast<StorePtr*>(s); }));
}
char* mt_store_set(void* s, const char* key, const void* value, int64_t n) {
  return caught([&] {
    auto b = static_cast<const uint8_t*>(value);
    store_of(s)->set(key, std::vector<uint8_t>(b, b + n));
  });
}
char* mt_store_get(void* s, const char* key, void** value, int64_t* n) {
  return caught([&] {
    auto v = store_of(s)->get(key);
    *n = static_cast<int64_t>(v.size());
    *value = malloc(v.size() + 1);
    memcpy(*value, v.data(), v.size());
  });
}
char* mt_store_add(void* s, const char* key, int64_t delta, int64_t* sum) {
  return caught([&] { *sum = store_of(s)->add(key, delta); });
}
char* mt_store_check(void* s, const char* key, int* there) {
  return caught([&] { *there = store_of(s)->check({key}); });
}
char* mt_store_delete(void* s, const char* key, int* deleted) {
  return caught([&] { *deleted = store_of(s)->deleteKey(key); });
}
char* mt_store_wait(void* s, const char* key, int64_t timeout_ms) {
  return caught([&] {
    if (timeout_ms > 0) store_of(s)->wait({key}, milliseconds(timeout_ms));
    else store_of(s)->wait({key});
  });
}

// ---- process groups

char* mt_pg_new(void* store, int rank, int world, void** r) {
  return caught([&] {
#if MT_VER(2, 6)
    auto pg = c10::make_intrusive<c10d::ProcessGroup>(store_of(store), rank, world);
#else
    auto pg = c10::make_intrusive<c10d::ProcessGroup>(store_of(store), rank, world, c10::make_intrusive<c10d::ProcessGroup::Options>("gloo"));
#endif
    *r = new Group{store_of(store), pg};
  });
}

char* mt_pg_add_gloo(void* p, int rank, int world, int64_t timeout_ms, const char* iface, int cuda) {
  return caught([&] {
    auto o = c10d::ProcessGroupGloo::Options::create(milliseconds(timeout_ms));
    o->devices.push_back(iface && *iface ? c10d::ProcessGroupGloo::createDeviceForInterface(iface) : c10d::ProcessGroupGloo::createDefaultDevice());
    // torch.distributed wraps the store once more for each device type
    auto s = c10::make_intrusive<c10d::PrefixStore>("cpu/", static_cast<Group*>(p)->store);
    auto b = c10::make_intrusive<c10d::ProcessGroupGloo>(s, rank, world, o);
    auto kind = c10d::ProcessGroup::BackendType::GLOO;
    group_of(p)->setBackend(at::kCPU, kind, mt::optional<c10::intrusive_ptr<c10d::Backend>>(b));
    if (cuda) group_of(p)->setBackend(at::kCUDA, kind, mt::optional<c10::intrusive_ptr<c10d::Backend>>(b));
#if MT_VER(2, 6)
    group_of(p)->setDefaultBackend(kind);
#endif
  });
}

char* mt_pg_abort(void* p) {
  return caught([&] {
#if MT_VER(2, 7)
    group_of(p)->abort();
#endif
  });
}
void mt_pg_free(void* p, int well) {
#if MT_VER(2, 7)
  free(caught([&] { well ? group_of(p)->shutdown() : group_of(p)->abort(); })); // as destroy_process_group()
#endif
  free(caught([&] { delete static_cast<Group*>(p); }));
}

// ---- collectives: they block until done; a peer that is gone is an error after the group's timeout

char* mt_allreduce(const mt_ctx* c, void* p, void** t, int64_t n, int op) {
  return caught([&] {
    State s(c);
    c10d::AllreduceOptions o;
    o.reduceOp = static_cast<c10d::ReduceOp::RedOpType>(op);
    for (auto& x : borrow_all(t, n)) {
      std::vector<Tensor> v{x};
      group_of(p)->allreduce(v, o)->wait();
    }
  });
}
char* mt_broadcast(const mt_ctx* c, void* p, void* t, int src) {
  return caught([&] {
    State s(c);
    c10d::BroadcastOptions o;
    o.rootRank = src;
    std::vector<Tensor> v{borrow(t)};
    group_of(p)->broadcast(v, o)->wait();
  });
}
char* mt_broadcast_coalesced(const mt_ctx* c, void* p, void** t, int64_t n, int64_t bytes, int src) {
  return caught([&] {
    State s(c);
    auto v = borrow_all(t, n);
    c10d::broadcast_coalesced(group_of(p), v, bytes, src);
  });
}
char* mt_allgather(const mt_ctx* c, void* p, void** out, int64_t n, void* in) {
  return caught([&] {
    State s(c);
    std::vector<std::vector<Tensor>> o{borrow_all(out, n)};
    std::vector<Tensor> i{borrow(in)};
    group_of(p)->allgather(o, i)->wait();
  });
}
char* mt_barrier(const mt_ctx* c, void* p) {
  return caught([&] {
    State s(c);
    c10d::BarrierOptions o;
    if (c->dev_index >= 0) o.device_ids = {c->dev_index}; // NCCL would guess it from the rank
    group_of(p)->barrier(o)->wait();
  });
}

// ---- reducer: DistributedDataParallel's buckets

using ReducerPtr = std::shared_ptr<c10d::Reducer>; // its hooks hold weak references, so it must live in a shared_ptr
static ReducerPtr& reducer_of(void* r) {
  TORCH_CHECK(r, "the reducer is closed");
  return *static_cast<ReducerPtr*>(r);
}

// The constructor changed three times between 2.1 and 2.15: chosen by what compiles, not by version number.
template <class R>
static R* make_reducer(std::vector<Tensor>& params, std::vector<std::vector<size_t>>& buckets, std::vector<size_t>& limits, GroupPtr& pg,
                       std::vector<bool>& sparse, int64_t cap, bool unused, bool view, std::unordered_map<size_t, std::string>& names, int64_t first) {
  using P = std::vector<Tensor>;
  using B = std::vector<std::vector<size_t>>;
  using L = std::vector<size_t>;
  using S = std::vector<bool>;
  using N = std::unordered_map<size_t, std::string>;
  if constexpr (std::is_constructible_v<R, P, B, GroupPtr, S, int64_t, bool, bool, N, int64_t, bool, bool, std::vector<int64_t>>)
    return new R(params, buckets, pg, sparse, cap, unused, view, names, first, false, false, std::vector<int64_t>{first, cap});
  else if constexpr (std::is_constructible_v<R, P, B, L, GroupPtr, S, int64_t, bool, bool, N, int64_t, bool, bool>)
    return new R(params, buckets, limits, pg, sparse, cap, unused, view, names, first, false, false);
  else
    return new R(params, buckets, limits, pg, sparse, cap, unused, view, names, first);
}

char* mt_reducer_new(void* p, void** params, int64_t n, const char* const* names, int64_t bucket_bytes, int64_t first_bucket_bytes, int find_unused,
                     int bucket_view, void** r) {
  return caught([&] {
    auto pv = borrow_all(params, n);
    auto pg = group_of(p);
    c10d::verify_params_across_processes(pg, pv, mt::nullopt);
    std::vector<bool> sparse(n, false);
    std::vector<size_t> limits{static_cast<size_t>(first_bucket_bytes), static_cast<size_t>(bucket_bytes)};
    if (find_unused) limits = {static_cast<size_t>(bucket_bytes)}; // Python: no small first bucket then
    auto [buckets, per_bucket] = c10d::compute_bucket_assignment_by_size(pv, limits, sparse);
    std::reverse(buckets.begin(), buckets.end()); // gradients arrive last layer first
    std::reverse(per_bucket.begin(), per_bucket.end());
    std::unordered_map<size_t, std::string> by_index;
    for (int64_t i = 0; i < n; i++) by_index[i] = names[i];
    *r = new ReducerPtr(make_reducer<c10d::Reducer>(pv, buckets, per_bucket, pg, sparse, bucket_bytes, find_unused != 0, bucket_view != 0, by_index, first_bucket_bytes));
  });
}
char* mt_reducer_prepare_forward(const mt_ctx* c, void* r, int* rebuilt) {
  return caught([&] {
    State s(c);
    reducer_of(r)->prepare_for_forward();
    *rebuilt = reducer_of(r)->rebuild_buckets();
  });
}
char* mt_reducer_prepare_backward(const mt_ctx* c, void* r, void** outs, int64_t n) {
  return caught([&] {
    State s(c);
    reducer_of(r)->prepare_for_backward(borrow_all(outs, n));
  });
}
void mt_reducer_free(void* r) {
  free(caught([&] { delete static_cast<ReducerPtr*>(r); }));
}
