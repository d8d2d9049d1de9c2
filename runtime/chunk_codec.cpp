// SPDX-License-Identifier: Apache-2.0
#include "runtime/chunk_codec.hpp"

#include "runtime/assert.hpp"

#include <zstd.h>

#include <cstring>
#include <string>

namespace torpor {

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
  buffer_.shrink(256u << 10);
  const auto room = raw.size() - raw.size() / 8;
  // Running out of room means that it saves too little.
  const auto bytes = ZSTD_compressCCtx(context_.get(), buffer_.reserve(room),
                                       room, raw.data(), raw.size(), level_);
  if (ZSTD_isError(bytes) || bytes >= raw.size())
    return raw;
  buffer_.grow(bytes);
  return buffer_.view();
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
