// SPDX-License-Identifier: Apache-2.0
// Batches of requests: what is put in comes out, request by request.
// Input: requests, each a byte for its kind and then its fields.
#include "runtime/assert.hpp"
#include "runtime/batch_cursor.hpp"
#include "runtime/block.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// What a request was made of, with texts as long as a batch takes them.
struct told_request {
  write_kind kind{};
  std::string name;
  std::string type;
  std::string order;
  std::string producer;
  std::string entries;
  std::size_t count = 0;
};

std::string cut(std::string_view text, std::size_t most) {
  return std::string{text.substr(0, most + 1)};
}

stream_ref ref_of(fuzz_input& input, told_request& told) {
  stream_ref stream;
  if (const auto id = input.number(); id % 2 != 0) {
    stream.id = stream_id{id};
  } else {
    stream.name = input.text();
    told.name = cut(stream.name, limits::name_bytes_max);
  }
  return stream;
}

void add_entries(fuzz_input& input, write_batch& batch, told_request& told) {
  for (auto left = input.u8() % 4; left > 0; --left) {
    std::vector<property> properties;
    for (auto pairs = input.u8() % 3; pairs > 0; --pairs) {
      auto key = std::string{input.text(input.u8())};
      properties.emplace_back(std::move(key), input.text(input.u8()));
    }
    const auto payload = input.bytes();
    batch.add(payload, properties);
    const auto encoded = encode_properties(properties);
    told.entries += as_text(encoded);
    told.entries += as_text(payload);
    ++told.count;
  }
}

void append(fuzz_input& input, write_batch& batch, told_request& told) {
  const auto stream = ref_of(input, told);
  append_options how;
  how.content_type = input.text();
  how.order = input.text();
  if (input.u8() % 2 != 0) {
    how.producer = {std::string{input.text()}, input.number(), input.number()};
    told.producer = cut(how.producer->id, limits::producer_id_bytes_max);
  }
  told.type = cut(how.content_type, limits::content_type_bytes_max);
  told.order = cut(how.order, limits::order_bytes_max);
  batch.append(stream, how);
  add_entries(input, batch, told);
}

void create(fuzz_input& input, write_batch& batch, told_request& told) {
  const auto name = input.text();
  create_options how;
  how.content_type = input.text();
  told.name = cut(name, limits::name_bytes_max);
  told.type = cut(how.content_type, limits::content_type_bytes_max);
  batch.create(name, how);
  add_entries(input, batch, told);
}

told_request add(fuzz_input& input, write_batch& batch) {
  told_request told;
  told.kind = static_cast<write_kind>(
    input.u8() % (static_cast<unsigned>(write_kind::sync) + 1));
  switch (told.kind) {
    case write_kind::append: append(input, batch, told); break;
    case write_kind::create: create(input, batch, told); break;
    case write_kind::policy:
      batch.set_policy(ref_of(input, told), {1, 2, 3});
      break;
    case write_kind::retention:
      batch.set_retention(ref_of(input, told), {.age_ms = 1});
      break;
    case write_kind::truncate:
      batch.truncate(ref_of(input, told), sequence{2});
      break;
    case write_kind::pin: {
      const auto stream = ref_of(input, told);
      const auto fork = input.text();
      told.type = cut(fork, limits::name_bytes_max);
      batch.pin(stream, sequence{1}, fork);
      break;
    }
    case write_kind::unpin: batch.unpin(ref_of(input, told), 1); break;
    default: batch.control(told.kind, ref_of(input, told));
  }
  return told;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  write_batch batch;
  for (auto round = 0; round < 2; ++round) {
    std::vector<told_request> told;
    while (!input.empty() && told.size() < 16)
      told.push_back(add(input, batch));
    TORPOR_ASSERT(batch.size() == told.size());
    batch_cursor cursor{batch};
    std::uint64_t cost = 0;
    for (std::size_t i = 0; i < told.size(); ++i) {
      const auto request = cursor.next(i);
      TORPOR_ASSERT(request.head->kind == told[i].kind);
      TORPOR_ASSERT(request.name == told[i].name);
      TORPOR_ASSERT(request.content_type == told[i].type);
      TORPOR_ASSERT(request.order == told[i].order);
      TORPOR_ASSERT(request.producer_id == told[i].producer);
      TORPOR_ASSERT(request.head->entries == told[i].count);
      TORPOR_ASSERT(as_text(request.bytes) == told[i].entries);
      cost += request.cost;
    }
    TORPOR_ASSERT(cost == batch.memory_bytes());
    batch.clear();
  }
  return 0;
}
