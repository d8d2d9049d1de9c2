// SPDX-License-Identifier: Apache-2.0
// Writes what fuzzers of binary formats begin with, made by the store's own
// encoders, into a directory: one below it for each fuzzer.
#include "runtime/catalog_values.hpp"
#include "runtime/segment_page.hpp"
#include "tests/fuzz/reseal.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

std::string root;

void put(const std::string& fuzzer, const std::string& name,
         const std::string& bytes) {
  std::filesystem::create_directories(root + "/" + fuzzer);
  std::ofstream{root + "/" + fuzzer + "/" + name, std::ios::binary} << bytes;
}

/// Texts as `fuzz_input` takes them.
std::string with_length(std::string_view text) {
  std::string bytes;
  bytes += static_cast<char>(text.size() & 0xff);
  bytes += static_cast<char>(text.size() >> 8);
  return bytes.append(text);
}

std::string number(std::uint64_t value) {
  std::string bytes;
  for (; value > 0; value >>= 8)
    bytes.insert(bytes.begin(), static_cast<char>(value & 0xff));
  return static_cast<char>(bytes.size()) + bytes;
}

std::string text_of(block_builder& builder) {
  return std::string{as_text(builder.finish())};
}

/// `count` entries of a stream from `first` on.
void add_entries(block_builder& builder, std::uint64_t stream,
                 std::uint64_t first, int count) {
  builder.start(stream_id{stream}, sequence{first});
  for (int i = 0; i < count; ++i)
    builder.add(as_bytes("entry " + std::to_string(i)),
                i % 2 == 0 ? byte_vector{} : encode_properties({{"k", "v"}}),
                1'700'000'000'000 + i);
}

std::string entries(std::uint64_t stream, std::uint64_t first, int count) {
  block_builder builder;
  add_entries(builder, stream, first, count);
  return text_of(builder);
}

std::string creation(std::uint64_t stream, const std::string& name,
                     const fork_origin& origin = {}) {
  block_builder builder;
  add_entries(builder, stream, raw(origin.at), 2);
  builder.create(name, "text/plain", origin);
  return text_of(builder);
}

/// A block with all that can be said of a stream.
std::string talkative() {
  block_builder builder;
  add_entries(builder, 256, 2, 3);
  builder.policy(sync_policy{100, 65536, 2});
  builder.policy(retention_policy{.age_ms = 1000, .bytes = 1 << 20,
                                  .entries = 5, .ttl_ms = 60'000});
  builder.truncate(sequence{1});
  builder.touch(1'700'000'000'500);
  builder.order("0007");
  builder.stamp("producer", 1, 0, 2);
  builder.pin(1, "fork");
  builder.close();
  return text_of(builder);
}

std::string removal(std::uint64_t stream, std::uint64_t next, bool buries) {
  block_builder builder;
  builder.start(stream_id{stream}, sequence{next});
  if (buries)
    builder.bury();
  else
    builder.remove();
  return text_of(builder);
}

void make_blocks() {
  const std::string sealed(1, '\0');
  const std::string mended(1, '\1');
  put("block", "entries", sealed + entries(256, 5, 4));
  put("block", "creation", mended + creation(256, "name"));
  put("block", "fork", mended + creation(512, "fork", {stream_id{256}, sequence{2}, 3, 1}));
  put("block", "talkative", mended + talkative());
  put("block", "removal", mended + removal(256, 9, false));
  put("block", "burial", mended + removal(256, 9, true));
}

void make_journals() {
  const auto frame = [](char how, const std::string& blocks) {
    return how + with_length(blocks);
  };
  const auto begin = std::string(1, '\0')
                     + frame(0, creation(256, "name") + creation(512, "other"));
  put("journal", "two_frames", begin + frame(0, talkative()));
  put("journal", "idle_mark", begin + frame(0, talkative()) + frame(0, ""));
  put("journal", "two_files",
      begin + frame(1, entries(512, 2, 3)) + frame(0, removal(512, 5, false)));
  put("journal", "torn_tail", begin + frame(4, entries(256, 2, 3)));
  put("journal", "torn_header", begin + frame(2, entries(256, 2, 3)));
  put("journal", "damage",
      begin + frame(4, entries(256, 2, 3)) + frame(0, entries(512, 2, 3)));
  put("journal", "fenced",
      begin + frame(0, entries(256, 2, 3))
        + frame(1 | 64, entries(256, 2, 3)) + frame(0, ""));
  put("journal", "lost_frame", begin + frame(16, entries(256, 2, 3)));
  put("journal", "other_chain", begin + frame(32, entries(256, 2, 3)));
  put("journal", "other_count",
      begin + frame(static_cast<char>(128), entries(256, 2, 3)));
  put("journal", "plain_block", begin + frame(8, entries(256, 2, 3)));
  put("journal", "number_beyond",
      begin + frame(0, creation(std::uint64_t{1} << 60, "far")));
  put("journal", "number_zero", begin + frame(0, creation(0, "zero")));
  put("journal", "time_back",
      begin + frame(0, entries(256, 2, 3) + entries(256, 5, 3)));
  put("journal", "no_file_of_ours", "\1torporJF and then nothing");
}

/// Rows for blocks that lie one behind the other.
struct told_row {
  std::uint64_t stream;
  std::uint64_t first;
  std::string block;
};

std::string page_of(const std::vector<told_row>& rows) {
  page_builder builder;
  std::uint64_t position = 0;
  for (const auto& row : rows) {
    const auto block = parse_block(as_bytes(row.block)).value();
    builder.add({.stream = stream_id{row.stream},
                 .first = block.first,
                 .next = block.first + block.count,
                 .first_ms = block.first_ms,
                 .last_ms = block.last_ms,
                 .position = position,
                 .bytes = row.block.size()});
    position += row.block.size();
  }
  return std::string{as_text(builder.finish())}.substr(8); // No checksum.
}

void make_segments() {
  const std::vector<told_row> rows{{256, 0, entries(256, 0, 4)},
                                   {512, 3, entries(512, 3, 2)},
                                   {768, 1, entries(768, 1, 1)}};
  const auto summary = number(3) + number(7) + number(49)
                       + number(1'700'000'000'000)
                       + number(1'700'000'000'003);
  const auto pages = '\1' + number(256) + with_length(page_of(rows));
  std::string one = "\1\1";
  one += '\1' + with_length(rows[0].block + rows[1].block + rows[2].block);
  put("segment", "one_chunk", one + pages + summary);
  std::string three = "\1\3";
  for (const auto& row : rows)
    three += '\1' + with_length(row.block);
  put("segment", "three_chunks", three + pages + summary);
  put("segment", "no_entries", std::string("\1\0\0", 3));
  put("segment", "changed_chunk", std::string("\2\x50\0\x01", 4));
  put("segment", "changed_page", std::string("\2\xa0\0\x10", 4));
  put("segment", "unchanged", "\2");
}

void put_value(const std::string& name, char kind,
               const catalog_value& value) {
  put("catalog_values", name,
      std::string(1, kind) + std::string{as_text(value)});
}

void make_values() {
  stream_record record;
  record.name = "tenant/stream";
  record.next = sequence{5};
  record.last_ms = 1'700'000'000'000;
  record.kept_bytes = 100;
  catalog_value plain;
  encode(record, plain);
  put_value("record", 0, plain);
  record.closed = true;
  record.settings = std::make_unique<stream_settings>();
  auto& own = *record.settings;
  own.sync = {100, 65536, 2};
  own.keep = {.age_ms = 1000, .ttl_ms = 5000};
  own.review_ms = own.touched_ms = 1'700'000'000'000;
  own.runs = {{sequence{0}, 1000, 2000, 40}, {sequence{3}, 2000, 2500, 60}};
  own.content_type = "text/plain";
  own.order = "0007";
  own.origin = {stream_id{256}, sequence{2}, 1, 1};
  own.pins = {{1, "fork"}};
  own.pins_made = 1;
  record.producers = std::make_unique<producer_table>();
  record.producers->push_back({"producer", 1, 2, {}});
  record.producers->back().answers[1] = {1, sequence{3}, 2};
  catalog_value full;
  encode(record, full);
  put_value("full_record", 0, full);
  catalog_state state;
  state.segments.push_back({.number = 1, .journal_first = 1,
                            .journal_last = 2, .streams = 3, .entries = 4});
  catalog_value states;
  encode(state, states);
  put_value("state", 1, states);
  put("catalog_values", "targets", std::string("\2\1x\1\7\0\1\1y\2", 10));
  put("catalog_values", "review", '\3' + std::string(16, '\1'));
  put("catalog_values", "seal", '\4' + with_length("key") + "body");
}

void make_batches() {
  const std::string append = std::string("\0", 1) + number(0)
                             + with_length("name") + with_length("text/plain")
                             + with_length("0007") + '\1' + with_length("id")
                             + number(1) + number(2) + '\2' + '\1' + "\1k\1v"
                             + with_length("payload") + std::string(1, '\0')
                             + with_length("more");
  put("write_batch", "append", append);
  put("write_batch", "create",
      '\1' + with_length("name") + with_length("text/plain") + '\1'
        + std::string(1, '\0') + with_length("first") + append);
  std::string controls;
  for (char kind = 2; kind < 10; ++kind)
    controls += kind + number(257) + number(3);
  put("write_batch", "controls", controls);
}

} // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: fuzz-seeds DIRECTORY\n", stderr);
    return 2;
  }
  root = arguments[1];
  make_batches();
  make_blocks();
  make_journals();
  make_segments();
  make_values();
}
