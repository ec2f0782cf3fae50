// Shared by the three translation units of the shim: handles, error capture, thread state.
#pragma once
#include "mdstorch.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/util/Optional.h>
#include <torch/version.h>

#include <cstring>
#include <exception>
#include <optional>
#include <vector>

#define MT_VER(a, b) (TORCH_VERSION_MAJOR > a || (TORCH_VERSION_MAJOR == a && TORCH_VERSION_MINOR >= b))

namespace mt {
#if MT_VER(2, 4)
using std::nullopt;
using std::optional;
#else // c10::optional was its own type
using c10::nullopt;
using c10::optional;
#endif
using at::Tensor;
using ImplPtr = c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;

// borrow makes a Tensor of a handle and leaves the handle's reference with the caller.
inline Tensor borrow(void* h) {
  return h ? Tensor(ImplPtr::reclaim_copy(static_cast<c10::TensorImpl*>(h))) : Tensor();
}
// give turns a Tensor into a handle that owns its reference.
inline void* give(Tensor&& t) {
  return t.defined() ? static_cast<void*>(t.unsafeReleaseTensorImpl()) : nullptr;
}
inline std::vector<Tensor> borrow_all(void** p, int64_t n) {
  std::vector<Tensor> v;
  v.reserve(n);
  for (int64_t i = 0; i < n; i++) v.push_back(borrow(p[i]));
  return v;
}

// caught runs f and turns whatever it throws into the message that the C function returns.
template <class F>
char* caught(F&& f) noexcept {
  try {
    f();
    return nullptr;
  } catch (const c10::Error& e) {
    return strdup(e.what_without_backtrace());
  } catch (const std::exception& e) {
    return strdup(e.what());
  } catch (...) {
    return strdup("unknown C++ exception");
  }
}

// State puts a call's mt_ctx on the thread and takes it off again.
class State {
 public:
  explicit State(const mt_ctx* c) : grad_(c10::GradMode::is_enabled()), cpu_(c->autocast_cpu), cuda_(c->autocast_cuda) {
    if (grad_ != static_cast<bool>(c->grad)) c10::GradMode::set_enabled(c->grad);
    if (c->inference) inference_.emplace(true);
    if (c->dev_index >= 0) device_.reset_device(c10::Device(static_cast<c10::DeviceType>(c->dev_type), c->dev_index));
    if (c->stream) stream_.reset_stream(*static_cast<c10::Stream*>(c->stream));
#if MT_VER(2, 4)
    if (cpu_) cpu_before_ = swap(at::kCPU, true, c->cpu_dtype);
    if (cuda_) cuda_before_ = swap(at::kCUDA, true, c->cuda_dtype);
#else
    if (cpu_) {
      cpu_before_ = at::autocast::is_cpu_enabled();
      at::autocast::set_cpu_enabled(true);
      at::autocast::set_autocast_cpu_dtype(static_cast<at::ScalarType>(c->cpu_dtype));
    }
    if (cuda_) {
      cuda_before_ = at::autocast::is_enabled();
      at::autocast::set_enabled(true);
      at::autocast::set_autocast_gpu_dtype(static_cast<at::ScalarType>(c->cuda_dtype));
    }
#endif
  }
  ~State() {
    c10::GradMode::set_enabled(grad_);
#if MT_VER(2, 4)
    if (cpu_) at::autocast::set_autocast_enabled(at::kCPU, cpu_before_);
    if (cuda_) at::autocast::set_autocast_enabled(at::kCUDA, cuda_before_);
#else
    if (cpu_) at::autocast::set_cpu_enabled(cpu_before_);
    if (cuda_) at::autocast::set_enabled(cuda_before_);
#endif
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

 private:
#if MT_VER(2, 4)
  static bool swap(c10::DeviceType d, bool on, int8_t dtype) {
    bool before = at::autocast::is_autocast_enabled(d);
    at::autocast::set_autocast_enabled(d, on);
    at::autocast::set_autocast_dtype(d, static_cast<at::ScalarType>(dtype));
    return before;
  }
#endif
  bool grad_, cpu_, cuda_, cpu_before_ = false, cuda_before_ = false;
  c10::OptionalDeviceGuard device_;
  c10::OptionalStreamGuard stream_;
  optional<c10::InferenceMode> inference_;
};
} // namespace mt
