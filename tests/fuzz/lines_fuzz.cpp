// SPDX-License-Identifier: Apache-2.0
// Files to be imported, line by line, plain or gzip. Input: a byte, then a file
// or, where the byte is odd, a text that is packed first, and a place where its
// gzip is cut in two members.
#include "cli/line_reader.hpp"
#include "runtime/assert.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/scratch_file.hpp"

#include <zlib.h>

#include <algorithm>
#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

/// All lines with a newline behind each, and why it ended.
std::string read_lines(std::string_view file, errc& why) {
  const scratch_file scratch{file};
  auto lines = line_reader::open(scratch.path());
  TORPOR_ASSERT(lines);
  std::string text;
  for (;;) {
    const auto line = lines->next();
    TORPOR_ASSERT(lines->consumed() <= file.size());
    why = line ? errc{} : line.error().code;
    if (!line || !*line)
      return text;
    TORPOR_ASSERT((*line)->find('\n') == std::string_view::npos);
    TORPOR_ASSERT((*line)->size() <= limits::payload_bytes_max);
    text.append(**line).push_back('\n');
  }
}

std::string packed(std::string_view text) {
  z_stream stream{};
  TORPOR_ASSERT(::deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8,
                               Z_DEFAULT_STRATEGY)
                == Z_OK);
  std::string gzip(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(gzip.data());
  stream.avail_out = static_cast<uInt>(gzip.size());
  TORPOR_ASSERT(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  gzip.resize(stream.total_out);
  ::deflateEnd(&stream);
  return gzip;
}

bool looks_packed(std::string_view file) {
  return file.starts_with("\x1f\x8b");
}

std::string with_last_newline(std::string_view text) {
  std::string ended{text};
  if (!ended.empty() && ended.back() != '\n')
    ended += '\n';
  return ended;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  const auto pack = input.u8() % 2 != 0;
  errc why{};
  if (!pack) {
    const auto file = input.rest();
    const auto text = read_lines(file, why);
    TORPOR_ASSERT(why == errc{}
                  || (looks_packed(file)
                      && (why == errc::corrupt || why == errc::too_large)));
    if (!looks_packed(file))
      TORPOR_ASSERT(text == with_last_newline(file));
    return 0;
  }
  const auto cut = input.u16();
  const auto zeros = input.u8();
  const auto text = input.rest();
  const auto first = text.substr(0, cut);
  const auto file = packed(first) + packed(text.substr(first.size()))
                    + std::string(zeros, '\0');
  TORPOR_ASSERT(read_lines(file, why) == with_last_newline(text));
  TORPOR_ASSERT(why == errc{});
  return 0;
}
