// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

/// When an append is acknowledged.
enum class ack : std::uint8_t {
  durable,  ///< After the `fdatasync` that covers it.
  buffered, ///< At once; durable after max-delay, max-bytes or a sync.
};

/// Makes appends idempotent: the same number twice is written once and
/// answered twice. A new epoch starts at number 0 and fences older epochs.
struct producer {
  std::string id;           ///< 1 to 256 bytes.
  std::uint64_t epoch = 0;  ///< Rises when the producer starts anew.
  std::uint64_t number = 0; ///< Of this append: 0, 1, 2 ... within the epoch.
};

/// How an append is to be made.
struct append_options {
  torpor::ack ack = torpor::ack::durable;
  /// The append is refused (conflict) unless its first entry gets this place.
  std::optional<sequence> expected_next;
  std::optional<torpor::producer> producer;
  /// False: the stream has to exist (not_found), whatever the store says.
  bool creates = true;
  /// The stream is closed behind the entries, of which there may be none then.
  bool closes = false;
  /// The append is refused (mismatch) unless the stream has this content type,
  /// which a new one gets; empty: whatever it has.
  std::string_view content_type;
  /// Puts a stream's writers in order: the append is refused (conflict) unless
  /// this is greater, byte by byte, than in the last append that had one.
  /// 1 to 256 bytes; empty: none.
  std::string_view order;
};

/// Which stream a request means: by id when it is known (not 0), else by name.
struct stream_ref {
  stream_id id{};
  std::string_view name;
};

/// What a request asks for.
enum class write_kind : std::uint8_t {
  append, ///< Adds entries, all or none, and may close the stream.
  create, ///< Makes a stream, with or without entries; already_exists when there is one.
  close,  ///< Ends a stream: no more entries. Again: no error.
  remove, ///< Deletes a stream; its entries stay while others are forked from it.
  pin,    ///< Keeps a stream's entries for a fork; the engine's own.
  unpin,  ///< The end of that.
  policy, ///< Replaces its sync policy.
  retention, ///< Replaces its retention policy.
  truncate, ///< Deletes the entries before a sequence.
  sync,   ///< Makes everything of the stream durable; id and name empty: of all.
};

/// What became of one request.
struct write_outcome {
  errc code{};          ///< 0 is success.
  bool duplicate = false; ///< A producer's retry; the first answer stands here.
  std::uint32_t count = 0; ///< Entries.
  stream_id stream{};   ///< The stream's id, to address it faster from now on.
  sequence first{};     ///< Of the first entry; of the next one if none.
  /// Of an append with a producer: the highest number that was accepted; of one
  /// that failed with conflict the number that is expected, with fenced the
  /// epoch. Of a pin: its number.
  std::uint64_t producer = 0;
  bool closed = false; ///< The stream is closed now; also when that is why it failed.
};

class write_batch;

/// Takes finished batches back. Called on a pool thread: be short, never block.
class write_sink {
public:
  virtual ~write_sink() = default;
  virtual void done(std::unique_ptr<write_batch> batch) = 0;
};

/// Many writes for the streams of one shard, travelling as one message. The
/// payloads are copied in. Requests are handled in order; each has its own
/// outcome; the batch comes back when all have one.
/// Threads: one owner, which changes with the message.
class write_batch {
public:
  /// One request; its bytes lie in `bytes()` one after another: name, content
  /// type, order, producer id, then for each entry its properties and its
  /// payload.
  struct request {
    write_kind kind{};
    torpor::ack ack{};
    bool has_expected = false;
    bool has_producer = false;
    bool creates = true;
    bool closes = false;
    std::uint16_t name_bytes = 0;
    std::uint16_t type_bytes = 0;
    std::uint16_t order_bytes = 0;
    std::uint32_t entries = 0;
    stream_id id{};
    sequence expected{};   ///< Or before what to truncate.
    std::uint64_t tag = 0; ///< The caller's own; not looked at.
  };
  struct entry_size {
    std::uint32_t properties = 0;
    std::uint32_t payload = 0;
  };
  struct producer_part {
    std::uint16_t id_bytes = 0;
    std::uint64_t epoch = 0;
    std::uint64_t number = 0;
  };

  /// Begins an append; `add` gives it its entries. Returns its index. What
  /// `how` views is copied.
  std::size_t append(stream_ref stream, const append_options& how = {},
                     std::uint64_t tag = 0);
  /// Adds an entry to the last append or create.
  void add(bytes_view payload, const std::vector<property>& properties = {});

  /// Gives the last request a tag of the caller's own.
  void tag(std::uint64_t tag) { requests_.back().tag = tag; }

  /// Has the id of the last request's stream stored there when it succeeds, so
  /// that the next request needs no name.
  void learn_id(std::shared_ptr<std::atomic<std::uint64_t>> into) {
    learners_.emplace_back(requests_.size() - 1, std::move(into));
  }

  std::size_t create(std::string_view name, const create_options& how = {});
  std::size_t set_policy(stream_ref stream, const sync_policy& policy);
  std::size_t set_retention(stream_ref stream, const retention_policy& keep);
  /// Deletes the entries before `before`, which is at most the next sequence.
  std::size_t truncate(stream_ref stream, sequence before);
  /// The engine's own: pins the stream for a fork at `at` of that name, or ends
  /// that.
  std::size_t pin(stream_ref source, sequence at, std::string_view fork);
  std::size_t unpin(stream_ref source, std::uint64_t pin);
  /// A request without further data: close, remove or sync.
  std::size_t control(write_kind kind, stream_ref stream);

  /// Who gets the batch when it is finished. Must outlive it. Holds for one
  /// journey: a batch that is used again needs it again.
  void sink(write_sink* sink) noexcept { sink_ = sink; }

  [[nodiscard]] std::size_t size() const noexcept { return requests_.size(); }
  [[nodiscard]] bool empty() const noexcept { return requests_.empty(); }
  [[nodiscard]] const write_outcome& outcome(std::size_t index) const {
    return outcomes_[index];
  }
  /// The error of a request whose outcome has a code.
  [[nodiscard]] error failure(std::size_t index) const;
  /// What this batch counts against the memory budget.
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return cost(requests_.size(), entry_sizes_.size(), bytes_.size());
  }
  /// What requests count: besides its bytes each request and entry costs
  /// bookkeeping in the batch, in the stream's buffer and as a waiter.
  [[nodiscard]] static constexpr std::size_t
  cost(std::size_t requests, std::size_t entries, std::size_t bytes) noexcept {
    return requests * 128 + entries * 32 + bytes;
  }

  /// Gives every request the same failure; for who cannot send the batch on.
  void fail_all(const error& failure);

  /// Whether it takes memory for longer than its own way: it has an append, a
  /// create, a policy or a retention.
  [[nodiscard]] bool adds() const noexcept { return adds_; }

  /// Empties the batch for the next round; keeps its memory.
  void clear();

  // -- for the shard ---------------------------------------------------------

  [[nodiscard]] const std::vector<request>& requests() const noexcept {
    return requests_;
  }
  [[nodiscard]] const std::vector<entry_size>& entry_sizes() const noexcept {
    return entry_sizes_;
  }
  [[nodiscard]] const std::vector<producer_part>& producers() const noexcept {
    return producers_;
  }
  [[nodiscard]] const std::vector<sync_policy>& policies() const noexcept {
    return policies_;
  }
  [[nodiscard]] const std::vector<fork_origin>& origins() const noexcept {
    return origins_;
  }
  [[nodiscard]] const std::vector<retention_policy>& retentions() const noexcept {
    return retentions_;
  }
  [[nodiscard]] bytes_view bytes() const noexcept { return as_bytes(bytes_); }

  /// The payloads have been copied: gives large memory back early.
  void trim();
  /// States the outcome a request will have if nothing fails.
  void promise(std::size_t index, const write_outcome& outcome) {
    outcomes_[index] = outcome;
  }
  /// States the refusal that a request will be answered with, likewise.
  void promise(std::size_t index, error refusal);
  /// Holds the batch back until as many `settle` or `fail` came.
  void hold(std::uint32_t answers) noexcept { open_ += answers; }
  /// One answer came. True when it was the last open one.
  [[nodiscard]] bool settle() noexcept { return --open_ == 0; }
  /// The same, but the request failed.
  [[nodiscard]] bool fail(std::size_t index, error failure);
  /// True while the bytes of this batch count as queued in the budget.
  [[nodiscard]] bool queued() const noexcept { return queued_; }
  void queued(bool value) noexcept { queued_ = value; }
  /// Gives the batch to its sink.
  static void finish(std::unique_ptr<write_batch> batch);

private:
  std::size_t push(request added, std::string_view name);

  std::vector<request> requests_;
  std::vector<entry_size> entry_sizes_;
  std::vector<producer_part> producers_;
  std::vector<sync_policy> policies_;
  std::vector<retention_policy> retentions_;
  std::vector<fork_origin> origins_;
  std::string bytes_;
  std::vector<write_outcome> outcomes_;
  std::map<std::size_t, std::string> texts_; ///< Of those that failed.
  std::vector<std::pair<std::size_t, std::shared_ptr<std::atomic<std::uint64_t>>>>
    learners_;
  write_sink* sink_ = nullptr;
  std::uint32_t open_ = 0;
  bool queued_ = false;
  bool adds_ = false;
};

} // namespace torpor
