// SPDX-License-Identifier: Apache-2.0
#include "runtime/chunk_codec.hpp"

#include "runtime/assert.hpp"

#include <zstd.h>

#include <cstring>
#include <string>

namespace torpor {

namespace {

constexpr std::size_t sample_bytes = 4096;
constexpr unsigned attempt_every = 16;

} // namespace

void chunk_compressor::freed::operator()(ZSTD_CCtx_s* context) const noexcept {
  ZSTD_freeCCtx(context);
}

chunk_compressor::chunk_compressor(int level)
  : level_{level},
    context_{level > 0 ? ZSTD_createCCtx() : nullptr} {
  TORPOR_ASSERT(level >= 0 && level <= 22);
}

bytes_view chunk_compressor::compress(bytes_view raw) {
  if (!context_)
    return raw;
  if (promises_little(raw) || !shrink(raw)) {
    ++plain_;
    return raw;
  }
  plain_ = 0;
  return buffer_.view();
}

/// Judged by a sample from the middle, unless the last chunk was compressed or
/// an attempt is due: a sample does not see what repeats from far.
bool chunk_compressor::promises_little(bytes_view raw) {
  if (plain_ % attempt_every == 0 || raw.size() <= 4 * sample_bytes)
    return false;
  return !shrink(raw.subspan((raw.size() - sample_bytes) / 2, sample_bytes));
}

/// Fills the buffer; false if that saves less than an eighth.
bool chunk_compressor::shrink(bytes_view raw) {
  buffer_.shrink(256u << 10);
  const auto room = raw.size() - raw.size() / 8;
  // Running out of room means that it saves too little.
  const auto bytes = ZSTD_compressCCtx(context_.get(), buffer_.reserve(room),
                                       room, raw.data(), raw.size(), level_);
  if (ZSTD_isError(bytes) || bytes >= raw.size())
    return false;
  buffer_.grow(bytes);
  return true;
}

result<void> decompress_chunk(bytes_view stored, std::span<std::byte> raw) {
  if (stored.size() == raw.size()) {
    if (!raw.empty())
      std::memcpy(raw.data(), stored.data(), raw.size());
    return {};
  }
  struct freed {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, freed> context{
    ZSTD_createDCtx()};
  const auto bytes = ZSTD_decompressDCtx(context.get(), raw.data(), raw.size(),
                                         stored.data(), stored.size());
  if (ZSTD_isError(bytes))
    return fail(errc::corrupt,
                std::string{"zstd says: "} + ZSTD_getErrorName(bytes));
  if (bytes != raw.size())
    return fail(errc::corrupt, "it decompresses to another size");
  return {};
}

} // namespace torpor
