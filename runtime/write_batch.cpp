// SPDX-License-Identifier: Apache-2.0
#include "torpor/write_batch.hpp"

#include "runtime/assert.hpp"
#include "runtime/block.hpp"

#include <algorithm>

namespace torpor {

namespace {

/// Far over every limit. What is longer is cut, and refused by the shard.
bytes_view cut(bytes_view bytes) {
  constexpr std::size_t most = 1u << 30;
  return bytes.first(std::min(bytes.size(), most));
}

} // namespace

std::size_t write_batch::push(request added, std::string_view name) {
  // Only requests by name carry it. A longer name than a stream can have is
  // cut to one that is too long as well, and refused by the shard.
  if (added.id == stream_id{}) {
    name = name.substr(0, limits::name_bytes_max + 1);
    added.name_bytes = static_cast<std::uint16_t>(name.size());
    bytes_.append(name);
  }
  adds_ = adds_ || added.kind == write_kind::append
          || added.kind == write_kind::create
          || added.kind == write_kind::policy
          || added.kind == write_kind::retention
          || added.kind == write_kind::pin;
  requests_.push_back(added);
  outcomes_.emplace_back();
  return requests_.size() - 1;
}

std::size_t write_batch::append(stream_ref stream, const append_options& how,
                                std::uint64_t tag) {
  request added;
  added.kind = write_kind::append;
  added.tag = tag;
  added.ack = how.ack;
  added.id = stream.id;
  added.has_expected = how.expected_next.has_value();
  added.expected = how.expected_next.value_or(sequence{});
  added.has_producer = how.producer.has_value();
  added.creates = how.creates;
  added.closes = how.closes;
  const auto type = how.content_type.substr(0, limits::content_type_bytes_max
                                                 + 1);
  const auto order = how.order.substr(0, limits::order_bytes_max + 1);
  added.type_bytes = static_cast<std::uint16_t>(type.size());
  added.order_bytes = static_cast<std::uint16_t>(order.size());
  const auto index = push(added, stream.name);
  bytes_.append(type);
  bytes_.append(order);
  if (how.producer) {
    const auto id = std::string_view{how.producer->id}.substr(
      0, limits::producer_id_bytes_max + 1);
    producers_.push_back({static_cast<std::uint16_t>(id.size()),
                          how.producer->epoch, how.producer->number});
    bytes_.append(id);
  }
  return index;
}

void write_batch::add(bytes_view payload,
                      const std::vector<property>& properties) {
  TORPOR_ASSERT(!requests_.empty()
                && (requests_.back().kind == write_kind::append
                    || requests_.back().kind == write_kind::create));
  entry_size size;
  if (!properties.empty()) {
    const auto whole = encode_properties(properties);
    const auto encoded = cut(whole);
    size.properties = static_cast<std::uint32_t>(encoded.size());
    bytes_.append(as_text(encoded));
  }
  payload = cut(payload);
  size.payload = static_cast<std::uint32_t>(payload.size());
  bytes_.append(as_text(payload));
  entry_sizes_.push_back(size);
  ++requests_.back().entries;
}

std::size_t write_batch::create(std::string_view name,
                                const create_options& how) {
  policies_.push_back(how.policy);
  retentions_.push_back(how.keep);
  origins_.push_back(how.origin);
  request added;
  added.kind = write_kind::create;
  added.closes = how.closes;
  const auto type = std::string_view{how.content_type}.substr(
    0, limits::content_type_bytes_max + 1);
  added.type_bytes = static_cast<std::uint16_t>(type.size());
  const auto index = push(added, name);
  bytes_.append(type);
  return index;
}

std::size_t write_batch::pin(stream_ref source, sequence at,
                             std::string_view fork) {
  request added;
  added.kind = write_kind::pin;
  added.id = source.id;
  added.expected = at;
  fork = fork.substr(0, limits::name_bytes_max + 1);
  added.type_bytes = static_cast<std::uint16_t>(fork.size());
  const auto index = push(added, source.name);
  bytes_.append(fork);
  return index;
}

std::size_t write_batch::unpin(stream_ref source, std::uint64_t pin) {
  request added;
  added.kind = write_kind::unpin;
  added.id = source.id;
  added.expected = sequence{pin};
  return push(added, source.name);
}

std::size_t write_batch::set_policy(stream_ref stream,
                                    const sync_policy& policy) {
  policies_.push_back(policy);
  request added;
  added.kind = write_kind::policy;
  added.id = stream.id;
  return push(added, stream.name);
}

std::size_t write_batch::set_retention(stream_ref stream,
                                       const retention_policy& keep) {
  retentions_.push_back(keep);
  request added;
  added.kind = write_kind::retention;
  added.id = stream.id;
  return push(added, stream.name);
}

std::size_t write_batch::truncate(stream_ref stream, sequence before) {
  request added;
  added.kind = write_kind::truncate;
  added.id = stream.id;
  added.expected = before;
  return push(added, stream.name);
}

std::size_t write_batch::control(write_kind kind, stream_ref stream) {
  request added;
  added.kind = kind;
  added.id = stream.id;
  return push(added, stream.name);
}

error write_batch::failure(std::size_t index) const {
  const auto text = texts_.find(index);
  return {outcomes_[index].code,
          text != texts_.end() ? text->second : std::string{}};
}

void write_batch::clear() {
  requests_.clear();
  entry_sizes_.clear();
  producers_.clear();
  policies_.clear();
  retentions_.clear();
  origins_.clear();
  bytes_.clear();
  outcomes_.clear();
  texts_.clear();
  learners_.clear();
  open_ = 0;
  queued_ = false;
  adds_ = false;
}

void write_batch::trim() {
  constexpr std::size_t kept_bytes = 64u << 10;
  if (bytes_.capacity() > kept_bytes)
    bytes_ = {};
}

void write_batch::promise(std::size_t index, error refusal) {
  outcomes_[index].code = refusal.code;
  texts_.insert_or_assign(index, std::move(refusal.context));
}

bool write_batch::fail(std::size_t index, error failure) {
  promise(index, std::move(failure));
  return --open_ == 0;
}

void write_batch::fail_all(const error& failure) {
  open_ = static_cast<std::uint32_t>(requests_.size()) + 1;
  for (std::size_t i = 0; i < requests_.size(); ++i)
    static_cast<void>(fail(i, failure));
}

void write_batch::finish(std::unique_ptr<write_batch> batch) {
  for (const auto& [index, into] : batch->learners_)
    if (batch->outcomes_[index].code == errc{})
      into->store(raw(batch->outcomes_[index].stream),
                  std::memory_order_relaxed);
  // A sink that sends the batch on must name itself again: a batch that cannot
  // be delivered comes back once, not for ever.
  if (auto* sink = std::exchange(batch->sink_, nullptr))
    sink->done(std::move(batch));
}

} // namespace torpor
