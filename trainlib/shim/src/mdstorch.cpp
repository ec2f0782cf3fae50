// Operators, tensors, autograd, streams. No operator is named here: trainlib/torch calls them all through mt_op_call.
#include "mdstorch_internal.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#if MT_VER(2, 11)
#include <c10/core/CachingDeviceAllocator.h>
#endif

#include <malloc.h>

#include <cstdlib>
#include <sstream>

using namespace mt;
using c10::IValue;

// ---- library

const char* mt_torch_version(void) { return TORCH_VERSION; }
int mt_abi(void) { return MT_ABI; }
void mt_free(void* p) { free(p); }

// glibc gives every block above 128 KiB, growing to 32 MiB by what it has seen, back to the kernel when it is freed, and takes
// it again with a page fault for each 4 KiB. A training step frees and takes the same blocks over and over: at batch 2, 32
// pixels, mobilenet_v2 spent a third of its time in 5,700 faults a step.
void mt_tune_malloc(void) {
#if defined(__GLIBC__)
  if (!getenv("MALLOC_MMAP_THRESHOLD_")) mallopt(M_MMAP_THRESHOLD, 32 << 20);
  if (!getenv("MALLOC_TRIM_THRESHOLD_")) mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
}

int mt_device_count(int dev_type) {
  int n = 0;
  char* e = caught([&] {
    auto t = static_cast<c10::DeviceType>(dev_type);
    if (t == at::kCPU) n = 1;
    else if (c10::impl::hasDeviceGuardImpl(t)) n = c10::impl::getDeviceGuardImpl(t)->deviceCount();
  });
  free(e); // a driver that cannot be asked has no devices
  return n;
}

void mt_set_num_threads(int n) { at::set_num_threads(n); }
int mt_get_num_threads(void) { return at::get_num_threads(); }
char* mt_manual_seed(uint64_t seed) {
  return caught([&] { at::manual_seed(seed); });
}

char* mt_rng_get(int dev_type, int dev_index, void** state) {
  return caught([&] {
    auto g = at::globalContext().defaultGenerator(c10::Device(static_cast<c10::DeviceType>(dev_type), dev_index));
    std::lock_guard<std::mutex> lock(g.mutex());
    *state = give(g.get_state());
  });
}
char* mt_rng_set(int dev_type, int dev_index, void* state) {
  return caught([&] {
    auto g = at::globalContext().defaultGenerator(c10::Device(static_cast<c10::DeviceType>(dev_type), dev_index));
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_state(borrow(state));
  });
}

char* mt_set_option(int option, int value) {
  return caught([&] {
    auto& g = at::globalContext();
    switch (option) {
      case MT_DETERMINISTIC: // as torch.use_deterministic_algorithms, which leaves cuDNN's own switch alone, too
        g.setDeterministicAlgorithms(value != 0, false);
        break;
      case MT_CUDNN_BENCHMARK:
        g.setBenchmarkCuDNN(value != 0);
        break;
      case MT_MATMUL_PRECISION:
        g.setFloat32MatmulPrecision(value == 0 ? "highest" : value == 1 ? "high" : "medium");
        break;
      default:
        TORCH_CHECK(false, "unknown option ", option);
    }
  });
}

void mt_autocast_clear_cache(void) { at::autocast::clear_cache(); }

char* mt_empty_cache(int dev_type) {
  return caught([&] {
#if MT_VER(2, 11)
    if (dev_type != 0) c10::getDeviceAllocator(static_cast<c10::DeviceType>(dev_type))->emptyCache();
#endif
  });
}

#if MT_VER(2, 11)
static c10::DeviceAllocator* allocator_of(int dev_type) {
  auto t = static_cast<c10::DeviceType>(dev_type);
  at::globalContext().lazyInitDevice(t); // before it, the allocator knows no device
  return c10::getDeviceAllocator(t);
}
#endif

char* mt_memory_stats(int dev_type, int dev_index, int64_t* bytes) {
  return caught([&] {
#if MT_VER(2, 11)
    auto s = allocator_of(dev_type)->getDeviceStats(static_cast<c10::DeviceIndex>(dev_index));
    bytes[0] = s.allocated_bytes[0].current; // [0]: of all pools
    bytes[1] = s.allocated_bytes[0].peak;
    bytes[2] = s.reserved_bytes[0].current;
    bytes[3] = s.reserved_bytes[0].peak;
#else
    TORCH_CHECK(false, "libtorch tells of its memory from 2.11 on, this is ", TORCH_VERSION);
#endif
  });
}

char* mt_memory_reset_peak(int dev_type, int dev_index) {
  return caught([&] {
#if MT_VER(2, 11)
    allocator_of(dev_type)->resetPeakStats(static_cast<c10::DeviceIndex>(dev_index));
#else
    TORCH_CHECK(false, "libtorch tells of its memory from 2.11 on, this is ", TORCH_VERSION);
#endif
  });
}

char* mt_synchronize(int dev_type, int dev_index) {
  return caught([&] {
    c10::impl::VirtualGuardImpl g(static_cast<c10::DeviceType>(dev_type));
    g.synchronizeDevice(dev_index);
  });
}

// ---- operators

char* mt_op_find(const char* name, const char* overload, void** op, char** schema) {
  return caught([&] {
    auto h = c10::Dispatcher::singleton().findSchema({name, overload});
    TORCH_CHECK(h.has_value(), "no such operator: ", name, *overload ? "." : "", overload);
    std::ostringstream s;
    s << h->schema();
    *schema = strdup(s.str().c_str());
    *op = new c10::OperatorHandle(*h); // kept for the life of the process, as the dispatcher keeps the operator
  });
}

static c10::TypeKind kind_inside_optional(const c10::Argument& arg) {
  auto k = arg.type()->kind();
  return k == c10::TypeKind::OptionalType ? arg.type()->castRaw<c10::OptionalType>()->getElementType()->kind() : k;
}

template <class E, class S>
static IValue list_of(const mt_val& a) {
  auto p = static_cast<const S*>(a.v.p);
  c10::List<E> l;
  l.reserve(a.n);
  for (int i = 0; i < a.n; i++) l.push_back(static_cast<E>(p[i]));
  return IValue(std::move(l));
}

static IValue to_ivalue(const mt_val& a, const c10::Argument& arg) {
  switch (a.tag) {
    case MT_DEFAULT:
      TORCH_CHECK(arg.default_value().has_value(), "missing argument ", arg.name());
      return *arg.default_value();
    case MT_NONE:
      return IValue();
    case MT_TENSOR:
      return IValue(borrow(a.v.p));
    case MT_INT: // an integer given for a float argument is widened, as Python does
      if (kind_inside_optional(arg) == c10::TypeKind::FloatType) return IValue(static_cast<double>(a.v.i));
      return IValue(a.v.i);
    case MT_DOUBLE:
      return IValue(a.v.d);
    case MT_BOOL:
      return IValue(a.v.i != 0);
    case MT_STRING:
      return IValue(std::string(static_cast<const char*>(a.v.p), a.n));
    case MT_INTS:
      return list_of<int64_t, int64_t>(a);
    case MT_DOUBLES: {
      auto t = arg.type();
      if (t->kind() == c10::TypeKind::ListType && t->castRaw<c10::ListType>()->getElementType()->kind() == c10::TypeKind::NumberType)
        return list_of<at::Scalar, double>(a); // Scalar[]
      return list_of<double, double>(a);
    }
    case MT_BOOLS:
      return list_of<bool, uint8_t>(a);
    case MT_TENSORS: {
      auto p = static_cast<void**>(a.v.p);
      auto t = arg.type();
      if (t->kind() == c10::TypeKind::ListType && t->castRaw<c10::ListType>()->getElementType()->kind() == c10::TypeKind::OptionalType) {
        c10::List<mt::optional<Tensor>> l;
        l.reserve(a.n);
        for (int i = 0; i < a.n; i++) l.push_back(p[i] ? mt::optional<Tensor>(borrow(p[i])) : mt::nullopt);
        return IValue(std::move(l));
      }
      c10::List<Tensor> l;
      l.reserve(a.n);
      for (int i = 0; i < a.n; i++) l.push_back(borrow(p[i]));
      return IValue(std::move(l));
    }
    case MT_DEVICE:
      return IValue(c10::Device(static_cast<c10::DeviceType>(a.v.i >> 32), static_cast<int8_t>(a.v.i & 0xff)));
    case MT_STREAM:
      return IValue(*static_cast<c10::Stream*>(a.v.p));
    default:
      TORCH_CHECK(false, "argument ", arg.name(), " has the unknown tag ", a.tag);
  }
}

static int32_t kib(const Tensor& t) {
  return t.defined() ? static_cast<int32_t>(std::min<int64_t>(t.numel() * t.element_size() >> 10, INT32_MAX)) : 0;
}

static void to_val(IValue&& v, mt_val& r) {
  r.n = 0;
  r.v.i = 0;
  if (v.isTensor()) {
    auto t = std::move(v).toTensor();
    r.tag = MT_TENSOR;
    r.n = kib(t);
    r.v.p = give(std::move(t));
  } else if (v.isInt()) {
    r.tag = MT_INT;
    r.v.i = v.toInt();
  } else if (v.isSymInt()) {
    r.tag = MT_INT;
    r.v.i = v.toSymInt().guard_int(__FILE__, __LINE__);
  } else if (v.isDouble()) {
    r.tag = MT_DOUBLE;
    r.v.d = v.toDouble();
  } else if (v.isBool()) {
    r.tag = MT_BOOL;
    r.v.i = v.toBool();
  } else if (v.isNone()) {
    r.tag = MT_NONE;
  } else if (v.isTensorList()) {
    auto l = v.toTensorVector();
    auto p = static_cast<void**>(malloc(sizeof(void*) * (l.size() + 1)));
    for (size_t i = 0; i < l.size(); i++) p[i] = give(std::move(l[i]));
    r.tag = MT_TENSORS;
    r.n = static_cast<int32_t>(l.size());
    r.v.p = p;
  } else if (v.isIntList()) {
    auto l = v.toIntVector();
    r.tag = MT_INTS;
    r.n = static_cast<int32_t>(l.size());
    r.v.p = malloc(sizeof(int64_t) * (l.size() + 1));
    memcpy(r.v.p, l.data(), sizeof(int64_t) * l.size());
  } else {
    r.tag = MT_OTHER;
  }
}

char* mt_op_call(const mt_ctx* c, void* op, const mt_val* args, int n, mt_val* results, int rcap, int* nret) {
  return caught([&] {
    auto* h = static_cast<c10::OperatorHandle*>(op);
    const auto& formal = h->schema().arguments();
    TORCH_CHECK(static_cast<size_t>(n) <= formal.size(), h->schema().name(), " takes ", formal.size(), " arguments, got ", n);
    static const mt_val by_default{MT_DEFAULT, 0, {0}};
    torch::jit::Stack stack;
    stack.reserve(std::max(formal.size(), h->schema().returns().size()));
    for (size_t i = 0; i < formal.size(); i++) stack.push_back(to_ivalue(static_cast<int>(i) < n ? args[i] : by_default, formal[i]));
    {
      State s(c);
      h->callBoxed(stack);
    }
    if (rcap == 0) return;
    *nret = static_cast<int>(stack.size());
    TORCH_CHECK(*nret <= rcap, h->schema().name(), " returns ", *nret, " values, room for ", rcap);
    for (size_t i = 0; i < stack.size(); i++) to_val(std::move(stack[i]), results[i]);
  });
}

// ---- tensors

void mt_release(void* h) {
  if (h) ImplPtr::reclaim(static_cast<c10::TensorImpl*>(h));
}
void mt_release_many(void** h, int64_t n) {
  for (int64_t i = 0; i < n; i++) mt_release(h[i]);
}
void* mt_retain(void* h) { return give(borrow(h)); }

char* mt_tensor_info(void* h, mt_info* o) {
  return caught([&] {
    Tensor t = borrow(h);
    TORCH_CHECK(t.defined(), "undefined tensor");
    o->dtype = static_cast<int32_t>(t.scalar_type());
    o->dev_type = static_cast<int32_t>(t.device().type());
    o->dev_index = t.device().index();
    o->ndim = static_cast<int32_t>(t.dim());
    o->requires_grad = t.requires_grad();
    o->is_leaf = t.is_leaf();
    o->layout = static_cast<int32_t>(t.layout());
    o->numel = t.numel();
    o->sizes = t.sizes().data();
    bool strided = t.layout() == at::kStrided;
    o->contiguous = strided && t.is_contiguous();
    o->strides = strided ? t.strides().data() : nullptr;
    o->nbytes = t.numel() * static_cast<int64_t>(t.element_size());
    o->storage_offset = strided ? t.storage_offset() : 0;
    o->data = strided && t.has_storage() && t.numel() ? t.data_ptr() : nullptr;
  });
}

char* mt_from_data(const void* data, const int64_t* sizes, int ndim, int dtype, int pinned, void** r) {
  return caught([&] {
    auto t = at::empty(at::IntArrayRef(sizes, ndim), at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).pinned_memory(pinned != 0));
    if (data && t.numel()) memcpy(t.data_ptr(), data, t.nbytes());
    *r = give(std::move(t));
  });
}

// ---- autograd

char* mt_backward(const mt_ctx* c, void** t, int64_t n, void** grads, int retain, int create) {
  return caught([&] {
    State s(c);
    std::vector<Tensor> g;
    if (grads) g = borrow_all(grads, n);
    torch::autograd::backward(borrow_all(t, n), g, retain ? mt::optional<bool>(true) : mt::nullopt, create);
  });
}

char* mt_autograd_grad(const mt_ctx* c, void** outs, int64_t n, void** inputs, int64_t m, void** grad_outs, int retain, int create,
                       int allow_unused, void** r) {
  return caught([&] {
    State s(c);
    std::vector<Tensor> g;
    if (grad_outs) g = borrow_all(grad_outs, n);
    auto v = torch::autograd::grad(borrow_all(outs, n), borrow_all(inputs, m), g, retain ? mt::optional<bool>(true) : mt::nullopt, create, allow_unused);
    for (int64_t i = 0; i < m; i++) r[i] = give(std::move(v[i]));
  });
}

char* mt_grads(void** t, int64_t n, void** r) {
  return caught([&] {
    for (int64_t i = 0; i < n; i++) r[i] = give(Tensor(borrow(t[i]).grad()));
  });
}
char* mt_set_grad(void* t, void* g) {
  return caught([&] { borrow(t).mutable_grad() = borrow(g); });
}
char* mt_zero_grads(void** t, int64_t n) {
  return caught([&] {
    for (int64_t i = 0; i < n; i++) borrow(t[i]).mutable_grad().reset();
  });
}
char* mt_set_requires_grad(void* t, int v) {
  return caught([&] { borrow(t).set_requires_grad(v != 0); });
}
char* mt_set_data(void* t, void* data) {
  return caught([&] { borrow(t).set_data(borrow(data)); });
}

char* mt_grad_fn(void* t, char** name) {
  return caught([&] {
    auto f = borrow(t).grad_fn();
    *name = f ? strdup(f->name().c_str()) : nullptr;
  });
}

// ---- streams and events: c10's device-generic interface, so that this file needs no CUDA header

char* mt_stream_new(int dev_type, int dev_index, void** r) {
  return caught([&] {
    auto d = c10::Device(static_cast<c10::DeviceType>(dev_type), dev_index);
    *r = new c10::Stream(c10::impl::VirtualGuardImpl(d.type()).getStreamFromGlobalPool(d, false));
  });
}
char* mt_stream_current(int dev_type, int dev_index, void** r) {
  return caught([&] {
    auto d = c10::Device(static_cast<c10::DeviceType>(dev_type), dev_index);
    *r = new c10::Stream(c10::impl::VirtualGuardImpl(d.type()).getStream(d));
  });
}
char* mt_stream_synchronize(void* s) {
  return caught([&] { static_cast<c10::Stream*>(s)->synchronize(); });
}
void mt_stream_free(void* s) { delete static_cast<c10::Stream*>(s); }

char* mt_event_new(int dev_type, void** r) {
  return caught([&] { *r = new c10::Event(static_cast<c10::DeviceType>(dev_type)); });
}
char* mt_event_record(void* e, void* stream) {
  return caught([&] { static_cast<c10::Event*>(e)->record(*static_cast<c10::Stream*>(stream)); });
}
char* mt_event_block(void* e, void* stream) {
  return caught([&] { static_cast<c10::Event*>(e)->block(*static_cast<c10::Stream*>(stream)); });
}
char* mt_event_query(void* e, int* done) {
  return caught([&] { *done = static_cast<c10::Event*>(e)->query(); });
}
char* mt_event_synchronize(void* e) {
  return caught([&] { static_cast<c10::Event*>(e)->synchronize(); });
}
void mt_event_free(void* e) { delete static_cast<c10::Event*>(e); }
