// NCCL and CUDA graphs: the part that needs CUDA headers and links libtorch_cuda. A second library, loaded only where
// libtorch_cuda is.
#define USE_C10D_NCCL 1
#include "mdstorch_internal.h"

#include <ATen/cuda/CUDAGraph.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

using namespace mt;

struct Group { // as in mdstorch_c10d.cpp
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroup> pg;
};

char* mtc_pg_add_nccl(void* p, int rank, int world, int64_t timeout_ms) {
  return caught([&] {
    auto* g = static_cast<Group*>(p);
    auto o = c10d::ProcessGroupNCCL::Options::create();
    o->timeout = std::chrono::milliseconds(timeout_ms);
    auto s = c10::make_intrusive<c10d::PrefixStore>("cuda/", g->store);
    auto b = c10::make_intrusive<c10d::ProcessGroupNCCL>(s, rank, world, o);
    auto kind = c10d::ProcessGroup::BackendType::NCCL;
    g->pg->setBackend(at::kCUDA, kind, mt::optional<c10::intrusive_ptr<c10d::Backend>>(b));
#if MT_VER(2, 6)
    g->pg->setDefaultBackend(kind);
#endif
  });
}

char* mtc_graph_new(void** r) {
  return caught([&] { *r = new at::cuda::CUDAGraph(); });
}
char* mtc_graph_begin(const mt_ctx* c, void* g) {
  return caught([&] {
    State s(c);
    static_cast<at::cuda::CUDAGraph*>(g)->capture_begin();
  });
}
char* mtc_graph_end(const mt_ctx* c, void* g) {
  return caught([&] {
    State s(c);
    static_cast<at::cuda::CUDAGraph*>(g)->capture_end();
  });
}
char* mtc_graph_replay(const mt_ctx* c, void* g) {
  return caught([&] {
    State s(c);
    static_cast<at::cuda::CUDAGraph*>(g)->replay();
  });
}
void mtc_graph_free(void* g) { delete static_cast<at::cuda::CUDAGraph*>(g); }
