// SPDX-License-Identifier: Apache-2.0
#include "cli/shared_memory.hpp"

#include <cerrno>

#include <sys/mman.h>

namespace torpor {

result<shared_memory> shared_memory::make(std::size_t bytes) {
  auto* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    return fail_io("mmap", "shared memory", errno);
  return shared_memory{static_cast<std::byte*>(mapped), bytes};
}

shared_memory::~shared_memory() {
  if (begin_ != nullptr)
    ::munmap(begin_, bytes_);
}

} // namespace torpor
