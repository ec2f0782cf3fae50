// Stands in for gloo's header, which libtorch wheels leave out: only pointers to these types are passed on.
#pragma once
namespace gloo {
namespace transport {
class Device;
class UnboundBuffer {
 public:
  virtual ~UnboundBuffer() = 0;
};
} // namespace transport
} // namespace gloo
