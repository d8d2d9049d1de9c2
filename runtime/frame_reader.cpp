// SPDX-License-Identifier: Apache-2.0
#include "runtime/frame_reader.hpp"

#include "runtime/safety_step.hpp"
#include "runtime/wire.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace torpor {

namespace {

/// Small enough to stay in a core's cache between reading and parsing.
constexpr std::uint64_t window_bytes = 1u << 20;

bool all_zeros(bytes_view bytes) noexcept {
  return bytes.empty()
         || (bytes[0] == std::byte{}
             && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1)
                  == 0);
}

} // namespace

result<frame_reader> frame_reader::open(disk& disk, const std::string& path,
                                        std::uint32_t number,
                                        const store_id& store) {
  auto source = disk.open(path, open_mode::read);
  if (!source)
    return tl::unexpected{source.error()};
  const auto size = (*source)->size();
  if (!size)
    return tl::unexpected{size.error()};
  return frame_reader{std::move(*source), *size, number, store};
}

/// The bytes at `offset`: fewer than asked for only at the end of the file.
/// They are overwritten by the next call.
result<bytes_view> frame_reader::at(std::uint64_t offset, std::uint64_t bytes) {
  bytes = offset < size_ ? std::min(bytes, size_ - offset) : 0;
  if (bytes == 0)
    return bytes_view{};
  const auto in_window = offset >= window_offset_
                         && offset + bytes <= window_offset_ + window_bytes_;
  if (!in_window) {
    const auto wanted = std::min(std::max(bytes, window_bytes), size_ - offset);
    const auto into = window_.take(wanted);
    const auto got = file_->read(offset, into);
    window_offset_ = offset;
    window_bytes_ = got ? *got : 0;
    if (!got)
      return tl::unexpected{got.error()};
    bytes = std::min<std::uint64_t>(bytes, *got);
  }
  return bytes_view{window_.data() + (offset - window_offset_), bytes};
}

result<std::optional<frame_header>> frame_reader::first_header() {
  const auto bytes = at(0, frame_alignment);
  if (!bytes)
    return tl::unexpected{bytes.error()};
  auto header = decode_frame_header(*bytes);
  if (header)
    return *header;
  if (header.error().code == errc::incompatible)
    return tl::unexpected{header.error()};
  return std::nullopt;
}

/// A sound header of this file.
result<std::optional<frame_header>>
frame_reader::header_at(std::uint64_t offset) {
  const auto bytes = at(offset, frame_head_bytes);
  if (!bytes)
    return tl::unexpected{bytes.error()};
  auto header = decode_frame_header(*bytes);
  const auto foreign = header && header->store != store_
                       && does(safety_step::frame_store);
  if (!header || foreign || header->file != number_)
    return std::nullopt;
  return *header;
}

/// Whether the blocks of a header that was read at `offset` are in the file.
bool frame_reader::fits(const frame_header& header,
                        std::uint64_t offset) const noexcept {
  return header.payload_bytes <= size_ - offset - frame_head_bytes;
}

result<bool> frame_reader::holds_payload(const placed_frame& frame) {
  payload_digest digest;
  auto offset = frame.offset + frame_head_bytes;
  for (std::uint64_t left = frame.header.payload_bytes; left > 0;) {
    const auto piece = at(offset, std::min(left, window_bytes));
    if (!piece)
      return tl::unexpected{piece.error()};
    if (piece->empty())
      return false;
    digest.add(*piece);
    offset += piece->size();
    left -= piece->size();
  }
  return digest.value() == frame.header.payload_checksum
         || !does(safety_step::frame_payload_checksum);
}

result<std::optional<placed_frame>> frame_reader::find(std::uint64_t offset,
                                                       frame_range numbers) {
  for (; offset < size_; offset += frame_alignment) {
    const auto header = header_at(offset);
    if (!header)
      return tl::unexpected{header.error()};
    if (!*header || !numbers.contains((*header)->number)
        || !fits(**header, offset))
      continue;
    const placed_frame frame{offset, **header};
    const auto whole = holds_payload(frame);
    if (!whole)
      return tl::unexpected{whole.error()};
    if (*whole)
      return frame;
  }
  return std::nullopt;
}

/// Walks over blocks up to `to` or to the first whose size cannot be. With
/// `skip`, one that is damaged inside is left out; without, it ends the run.
result<frame_reader::block_run>
frame_reader::visit_blocks(std::uint64_t from, std::uint64_t to, bool skip,
                           const block_visitor& visit) {
  block_run run{from, 0, false};
  while (run.end < to) {
    const auto head = at(run.end, block_head_bytes);
    if (!head)
      return tl::unexpected{head.error()};
    const auto bytes = wire_reader{*head}.u32();
    run.broken = bytes < block_head_bytes || bytes > to - run.end;
    if (run.broken)
      return run;
    const auto whole = at(run.end, bytes);
    if (!whole)
      return tl::unexpected{whole.error()};
    if (const auto block = parse_block(*whole)) {
      visit(*block, {number_, static_cast<std::uint32_t>(run.end), bytes});
      ++run.blocks;
    } else if (!skip) {
      run.broken = true;
      return run;
    }
    run.end += bytes;
  }
  return run;
}

result<std::optional<std::uint64_t>>
frame_reader::visit(const placed_frame& frame, const block_visitor& visit) {
  const auto from = frame.offset + frame_head_bytes;
  const auto run = visit_blocks(from, from + frame.header.payload_bytes, false,
                                visit);
  if (!run)
    return tl::unexpected{run.error()};
  if (run->broken || run->blocks != frame.header.blocks)
    return run->end;
  return std::nullopt;
}

/// Where a header is sound, it says where its frame ends. Where none is, only
/// a run of blocks that ends in padding shows where the next frame begins:
/// elsewhere, what looks like a block may be somebody's payload.
result<std::uint64_t> frame_reader::salvage(std::uint64_t from,
                                            std::uint64_t to,
                                            frame_range numbers,
                                            const block_visitor& visit) {
  std::uint64_t blocks = 0;
  while (from + frame_head_bytes < to) {
    const auto header = header_at(from);
    if (!header)
      return tl::unexpected{header.error()};
    if (*header && !numbers.contains((*header)->number))
      break;
    const auto begin = from + frame_head_bytes;
    const auto end = *header ? std::min(begin + (*header)->payload_bytes, to)
                             : to;
    const auto run = visit_blocks(begin, end, true, visit);
    if (!run)
      return tl::unexpected{run.error()};
    blocks += run->blocks;
    from = align_to_frame(*header ? end : run->end);
    const auto padding = at(run->end, from - run->end);
    if (!padding)
      return tl::unexpected{padding.error()};
    if (!*header && (run->end == begin || !all_zeros(*padding)))
      break;
  }
  return blocks;
}

result<bool> frame_reader::cut_off(std::uint64_t offset) {
  if (size_ == 0 || size_ % frame_alignment != 0)
    return true;
  return header_at(offset).map([&](const auto& header) {
    return header && !fits(*header, offset);
  });
}

result<bool> frame_reader::blank() {
  for (std::uint64_t offset = 0; offset < size_; offset += window_bytes) {
    const auto piece = at(offset, window_bytes);
    if (!piece)
      return tl::unexpected{piece.error()};
    if (!all_zeros(*piece))
      return false;
  }
  return true;
}

} // namespace torpor
