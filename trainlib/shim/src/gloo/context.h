// Stands in for gloo's header, which libtorch wheels leave out: what ProcessGroupGloo.hpp names of it.
#pragma once
#include <chrono>
namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds);
};
} // namespace gloo
