// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace torpor {

/// Prints the broken condition with its place and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file,
                                   int line) noexcept;

} // namespace torpor

/// States what must hold unless Torpor itself has a bug. On in release builds:
/// a store that no longer knows its state must not go on writing.
#define TORPOR_ASSERT(condition)                                               \
  ((condition) ? void(0)                                                       \
               : ::torpor::assertion_failed(#condition, __FILE__, __LINE__))
