// SPDX-License-Identifier: Apache-2.0
// Requests out of a connection's bytes, which are the same however the bytes
// are cut. Input: four bytes that say how, a byte for the limits, then the bytes.
#include "runtime/assert.hpp"
#include "server/request_reader.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;
using step = request_reader::step;

namespace {

/// What a connection understands: each request whole, and how it ends.
struct understood {
  std::vector<std::string> requests;
  bool refused = false;
  bool in_body = false; ///< In the end there is more to come of one.
};

std::string text_of(request_reader& reader) {
  auto& request = reader.request();
  std::ostringstream text;
  text << request.method_string() << ' ' << request.target() << ' '
       << request.version() << ' ' << reader.keep_alive() << '\n';
  for (const auto& field : request)
    text << field.name_string() << ": " << field.value() << '\n';
  text << '\n' << request.body();
  return text.str();
}

/// What must hold of every request, whoever made it.
void check(request_reader& reader, const request_limits& limits) {
  const auto& request = reader.request();
  TORPOR_ASSERT(request.body().size() <= limits.body_bytes_max);
  TORPOR_ASSERT(!request.target().empty());
  TORPOR_ASSERT(request.version() == 10 || request.version() == 11);
  TORPOR_ASSERT(request.count("host") <= 1);
  std::size_t bytes = 0;
  for (const auto& field : request) {
    bytes += field.name_string().size() + field.value().size();
    for (const auto text : {field.name_string(), field.value()})
      TORPOR_ASSERT(text.find_first_of("\r\n") == text.npos
                    && text.find('\0') == text.npos);
  }
  // A target that is a whole URL gives the host a field of its own.
  TORPOR_ASSERT(bytes <= 2 * limits.header_bytes_max);
}

/// Feeds a piece, and takes all requests that it completes. False: refused.
bool feed(request_reader& reader, std::string_view piece,
          const request_limits& limits, understood& into) {
  for (auto reached = reader.feed(piece);; reached = reader.feed("")) {
    if (reached == step::refused) {
      TORPOR_ASSERT(static_cast<unsigned>(reader.refusal().status) >= 400);
      TORPOR_ASSERT(!reader.refusal().message.empty());
      into.refused = true;
      return false;
    }
    if (reached == step::incomplete) {
      TORPOR_ASSERT(reader.held() <= limits.header_bytes_max);
      static_cast<void>(reader.take_expectation());
      TORPOR_ASSERT(!reader.take_expectation());
      return true;
    }
    check(reader, limits);
    into.requests.push_back(text_of(reader));
    reader.drop_request();
  }
}

understood read(std::string_view bytes, const request_limits& limits) {
  understood all;
  request_reader reader{limits};
  static_cast<void>(feed(reader, bytes, limits, all));
  all.in_body = reader.in_body();
  return all;
}

understood read_in_pieces(std::string_view bytes, std::uint32_t seed,
                          const request_limits& limits) {
  understood all;
  request_reader reader{limits};
  in_pieces(bytes, seed, [&](std::string_view piece) {
    return feed(reader, piece, limits, all);
  });
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  const std::uint32_t low = input.u16();
  const std::uint32_t seed = low | std::uint32_t{input.u16()} << 16;
  request_limits limits;
  if (input.u8() % 2 != 0) { // Small enough to be met.
    limits.header_bytes_max = 256;
    limits.body_bytes_max = 64;
  }
  const auto bytes = input.rest();
  const auto whole = read(bytes, limits);
  const auto pieces = read_in_pieces(bytes, seed, limits);
  // Chunk headers and trailers that have come whole are not measured; those that
  // are waited for may not be larger than a header.
  if (limits.header_bytes_max <= bytes.size() && pieces.refused) {
    TORPOR_ASSERT(pieces.requests.size() <= whole.requests.size());
    TORPOR_ASSERT(std::equal(pieces.requests.begin(), pieces.requests.end(),
                             whole.requests.begin()));
    return 0;
  }
  TORPOR_ASSERT(whole.requests == pieces.requests);
  // What came bit by bit may still wait for the end of a header that is refused
  // as it is.
  // Beast (basic_parser, 1.74) takes a chunk's size off what a body may have each
  // time it looks at a header whose extension has a quote without an end: what
  // still waits when it came at once can be too large in pieces.
  TORPOR_ASSERT(whole.refused || whole.in_body || !pieces.refused);
  return 0;
}
