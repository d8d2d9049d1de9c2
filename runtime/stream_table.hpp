// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block_index.hpp"
#include "runtime/clock.hpp"
#include "runtime/memory_budget.hpp"
#include "runtime/pending_block.hpp"
#include "runtime/record_table.hpp"
#include "runtime/replay.hpp"
#include "runtime/segment_list.hpp"
#include "torpor/options.hpp"
#include "torpor/read.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace torpor {

/// A stream that must be looked at when a time has come.
struct deadline {
  stream_id stream{};
  std::uint64_t tick = 0; ///< Monotonic ms.
};

/// A read that only has to be fetched: first from the segments, what they have
/// before the first block, then the blocks, from the journal.
struct read_job {
  std::unique_ptr<read_request> request;
  std::vector<indexed_block> blocks;
  std::string name;
  read_page page;   ///< Everything but the entries is filled in.
  std::shared_ptr<const segment_list> segments;
  sequence sealed_end{};     ///< Entries from here on are in `blocks`.
  bool time_sealed = false;  ///< The place of `from_time` may be in a segment.
  sequence first{};          ///< Oldest kept entry.
};

/// Where that begins what the forks of a stream may read of it.
struct stream_begin {
  sequence first{};
  stream_id source{}; ///< Has more in front of that; 0: nobody.
};

struct parsed_request;

/// Turns a read of inherited entries that is through with them into one of the
/// heir's own entries. Its `stream` says who has to take it.
[[nodiscard]] std::unique_ptr<read_request>
to_heir(std::unique_ptr<read_request> request);

/// Makes the page of inherited entries one of the heir. Nullopt when none of
/// them are his: `to_heir` has to go on.
[[nodiscard]] std::optional<read_page> for_heir(read_page page,
                                                const heir& whom);

/// The answer to a read of the entries `from` up to `to` of a stream of that
/// name, of which `why` tells what became.
[[nodiscard]] tl::unexpected<error> unreadable(std::string_view name,
                                               sequence from, sequence to,
                                               const error& why);

/// The same for entries that are in none of the places where they should be.
[[nodiscard]] tl::unexpected<error> missing(std::string_view name,
                                            sequence from, sequence to);

/// A pin of a stream that forks need: `source` keeps its entries for `name`.
struct pin_of_fork {
  stream_id source{};
  std::uint64_t number = 0;
  std::string name;
};

/// What a shard's table wants done. The caller takes it after every call.
struct table_output {
  std::vector<std::uint32_t> woken;       ///< Awake indices that need an actor.
  std::vector<pending_block*> syncs;      ///< To be finished and made durable.
  std::vector<pending_block*> again;      ///< Finished ones, for the journal.
  std::vector<std::uint32_t> hibernated;  ///< Awake indices that are free again.
  std::vector<deadline> deadlines;        ///< For the timing wheel.
  std::vector<std::unique_ptr<write_batch>> done;
  std::vector<read_job> reads;
  /// Reads of inherited entries, for the shard of their `stream`.
  std::vector<std::unique_ptr<read_request>> forwards;
  std::vector<pin_of_fork> unpins; ///< Their forks are gone.
  std::vector<pin_of_fork> doubts; ///< Is there such a fork? If not: unpin.
  bool save = false;   ///< Changed records should be saved soon.
  bool relief = false; ///< A tenant's share is full: relieve the other shards.
};

/// Counts since the start, and some of now.
struct table_stats {
  std::uint64_t appends = 0;    ///< Accepted entries.
  std::uint64_t wakes = 0;
  std::uint64_t hibernates = 0;
  std::uint64_t blocks = 0;     ///< Made durable.
  std::uint64_t acked_bytes = 0; ///< Payload made durable.
  std::uint64_t refused = 0;    ///< Requests answered with an error.
  std::uint64_t awake = 0;
  std::uint64_t records = 0;    ///< In memory.
  std::uint64_t unlisted = 0;   ///< Streams that the catalog does not have yet.
  std::uint64_t indexed_blocks = 0;
  std::uint64_t parked_reads = 0;
};

/// One shard's streams: takes writes into buffers, decides when they are due,
/// keeps a bounded window of syncs in flight, and turns commits into answers.
/// A stream that has nothing buffered and nothing in flight is a record again.
///
/// Threads: one owner.
class stream_table {
public:
  struct settings {
    std::uint32_t shard = 0;
    std::uint32_t shards = 1;
    std::uint64_t block_bytes_max = 0; ///< What one journal frame can take.
    bool create_on_append = true;
    sync_options sync;
    std::uint64_t stream_bytes_max = 0;
    std::uint32_t record_cache = 0;
    retention_rules retention;
  };

  stream_table(settings given, std::unique_ptr<catalog_reader> catalog,
               memory_budget& budget, const torpor::clock& time);
  ~stream_table();

  /// Takes a batch in; it comes back through `out().done`.
  void write(std::unique_ptr<write_batch> batch);

  /// Begins to delete what retention does not keep: at once, and when it is
  /// time. Without it a table only does not show it.
  void start_retention();

  /// What the wheel has for the reviews of a shard, in place of a stream: ids
  /// below 256 are no stream's.
  [[nodiscard]] static stream_id review_timer(std::uint32_t shard,
                                              std::uint32_t shards) noexcept {
    return stream_id{shards + shard};
  }

  /// The deadlines of these streams have passed.
  void due(const std::vector<stream_id>& streams);

  /// Memory is short: what is buffered becomes due, so that a retry finds room.
  void relieve();

  /// These blocks are durable and have their places.
  void committed(const std::vector<pending_block*>& blocks);

  /// Durability is lost for good: these blocks and all that is buffered fail,
  /// writes are refused from now on, reads go on.
  void failed(const std::vector<pending_block*>& blocks, const error& why);

  /// There was no room for these blocks: whoever waits for them is answered with
  /// `why`, and nothing of them was written. Those with entries that were
  /// acknowledged already go back to the journal, as the `held` ones stayed
  /// there: what was answered with an error may be durable later.
  void refused(const std::vector<pending_block*>& blocks,
               const std::vector<pending_block*>& held, const error& why);

  /// The disk is full (`why`), or has room again (nullptr). Appends and
  /// creates are refused while it is full; removes, closes and syncs go on.
  void full(const error* why);

  /// Reads, at once or when there is something to read.
  void read(std::unique_ptr<read_request> request);
  /// Answers a waiting read with what there is: nothing.
  void cancel(std::uint64_t ticket);

  /// The journal's files up to this one are sealed: these segments have what
  /// they had.
  void sealed(std::uint32_t file, std::shared_ptr<const segment_list> segments);
  [[nodiscard]] const std::shared_ptr<const segment_list>&
  segments() const noexcept {
    return segments_;
  }

  /// Without what a fork has inherited: `begin` tells of that.
  [[nodiscard]] result<stream_info> info(stream_ref stream);

  /// Also of a stream that is only kept for its forks. Errors: not_found,
  /// io_failed, corrupt.
  [[nodiscard]] result<stream_begin> begin(stream_id stream);

  /// Whether a stream of that name needs the entries that the pin keeps.
  [[nodiscard]] bool needs(const pin_of_fork& pin);

  /// The stream that a pin was made for is there, or will never be: from now on
  /// `doubts` may ask for it.
  void settle_pin(const pin_of_fork& pin);

  /// Makes everything due that is buffered, refuses writes from now on, and
  /// calls back when nothing is buffered or in flight any more.
  void shut_down(std::function<void()> quiet);

  [[nodiscard]] record_table& records() noexcept { return records_; }
  [[nodiscard]] block_index& index() noexcept { return index_; }
  [[nodiscard]] table_output& out() noexcept { return out_; }
  [[nodiscard]] table_stats stats() const;

private:
  using awake_index = slab<int>::index;
  static constexpr awake_index none = slab<int>::none;

  /// A request that waits for a block.
  struct waiter {
    write_batch* batch;
    std::uint32_t index;
  };

  /// What `record` lacks: buffered and unfinished things.
  struct awake_stream {
    stream_id id{};
    record_table::row_index row = record_table::none;
    sequence next{};          ///< With what is buffered or in flight.
    std::int64_t last_ms = 0; ///< The same.
    bool closed = false;      ///< The same.
    bool removed = false;     ///< The same.
    bool buried = false;      ///< The same.
    bool queued = false;      ///< In the sync queue.
    bool due_again = false;   ///< To be queued when that block is durable.
    std::uint64_t deadline = 0; ///< Of the buffer; monotonic ms.
    pending_block* buffer = nullptr;
    pending_block* flight = nullptr; ///< Lent to the stream's actor and the journal.
    std::vector<waiter> waiters;        ///< For the buffer.
    std::vector<waiter> flight_waiters; ///< For the block in flight.
    std::uint64_t charge = 0;           ///< Budget held by the buffer.
    std::uint64_t flight_charge = 0;    ///< Budget held by the block in flight.
    account* tenant = nullptr;
    std::unique_ptr<producer_table> producers; ///< Those that wrote since waking.
    std::string order;                         ///< The same; empty: none.
    std::unique_ptr<std::vector<fork_pin>> pins; ///< The same; null: unchanged.
    std::uint64_t pins_made = 0;               ///< The same.
  };

  void handle(write_batch& batch, std::uint32_t index, parsed_request& request);
  void append(write_batch& batch, std::uint32_t index, parsed_request& request);
  void create(write_batch& batch, std::uint32_t index, parsed_request& request);
  void control(write_batch& batch, std::uint32_t index, parsed_request& request);
  void sync_all(write_batch& batch, std::uint32_t index);
  void pin(write_batch& batch, std::uint32_t index,
           const parsed_request& request, record_table::row_index row);
  void unpin(write_batch& batch, std::uint32_t index,
             const parsed_request& request, record_table::row_index row);
  void end(awake_index at);
  [[nodiscard]] bool is_buried(record_table::row_index row) const;
  [[nodiscard]] const std::vector<fork_pin>& pins(record_table::row_index row) const;
  [[nodiscard]] std::vector<fork_pin>& own_pins(awake_index at);
  [[nodiscard]] bool is_kept_for_forks(record_table::row_index row) const;
  [[nodiscard]] bool has_inherited(record_table::row_index row) const;
  void doubt_pins(record_table::row_index row);
  [[nodiscard]] result<void> check_control(const parsed_request& request,
                                           record_table::row_index row) const;
  void change(awake_index at, const parsed_request& request);
  [[nodiscard]] static error buried(std::string_view called);
  void wait_durable(awake_index at, write_batch& batch, std::uint32_t index);

  [[nodiscard]] result<record_table::row_index> resolve(const parsed_request& request);
  [[nodiscard]] bool is_closed(record_table::row_index row) const;
  [[nodiscard]] std::string_view order(record_table::row_index row) const;
  [[nodiscard]] bool charge_tenant(record_table::row_index row,
                                   std::uint64_t cost);
  [[nodiscard]] error tenant_is_full(const parsed_request& request,
                                     record_table::row_index row);
  [[nodiscard]] result<void> admit(const parsed_request& request,
                                   record_table::row_index row);
  [[nodiscard]] result<void> admit_stream(const parsed_request& request,
                                          record_table::row_index row) const;
  void promise_refusal(write_batch& batch, std::uint32_t index,
                       const parsed_request& request,
                       record_table::row_index row);
  void refuse_producer(write_batch& batch, std::uint32_t index,
                       const parsed_request& request,
                       record_table::row_index row,
                       const producer_verdict& verdict);
  void refuse_when_durable(write_batch& batch, std::uint32_t index,
                           record_table::row_index row, error why);
  [[nodiscard]] error name_is_taken(const parsed_request& request,
                                    record_table::row_index row) const;
  [[nodiscard]] result<void> admit_sizes(const parsed_request& request) const;
  [[nodiscard]] result<void> admit_memory(const parsed_request& request,
                                          record_table::row_index row);
  [[nodiscard]] producer_verdict judge_producer(const parsed_request& request,
                                                record_table::row_index row);
  [[nodiscard]] const producer_state* remembered(record_table::row_index row,
                                                 std::string_view producer);

  void prefetch(const write_batch& batch);
  void settle(write_batch& batch);
  void refuse(write_batch& batch, std::uint32_t index, error why);
  void answer_duplicate(write_batch& batch, std::uint32_t index,
                        record_table::row_index row,
                        const producer_verdict& verdict);
  void answer_closed(write_batch& batch, std::uint32_t index,
                     record_table::row_index row);
  [[nodiscard]] result<void> admit_order(const parsed_request& request,
                                         record_table::row_index row) const;
  void note_producer(awake_stream& stream, const parsed_request& request);

  awake_index wake(record_table::row_index row);
  void hibernate(awake_index at);
  block_builder& buffer(awake_index at);
  void fill(awake_index at, const parsed_request& request);
  void charge(awake_index at, std::uint64_t cost);
  void make_due(awake_index at);
  void due_at(awake_index at, std::uint64_t tick);
  void due_by_policy(awake_index at, torpor::ack ack);
  void pump();
  void end_call();
  void launch(awake_index at);
  void finish_block(pending_block* block, bool durable);
  void after_commit(awake_index at);
  void fail_waiters(std::vector<waiter>& waiters, const error& why);
  void answer_waiters(awake_index at, const error& why);
  void drop(awake_index at, const error& why);

  [[nodiscard]] pending_block* take_block();
  void give_block(pending_block* block);

  [[nodiscard]] bool is_gone(record_table::row_index row) const;
  [[nodiscard]] bool is_renewed(record_table::row_index row) const;
  void touch(record_table::row_index row);
  void trim(awake_index at);
  void retain();
  void retain(stream_id id, std::int64_t now_ms);
  void retain(record_table::row_index row, std::int64_t now_ms);
  [[nodiscard]] std::int64_t walk(std::int64_t now_ms);
  void arm_review(std::int64_t earliest_ms);
  [[nodiscard]] std::size_t reviews_now() const;
  void remove_expired(record_table::row_index row);

  void wake_readers(stream_id stream);
  void start_read(std::unique_ptr<read_request> request,
                  record_table::row_index row);
  [[nodiscard]] bool inherits(const read_request& request,
                              record_table::row_index row) const;
  void inherit(std::unique_ptr<read_request> request,
               record_table::row_index row);
  [[nodiscard]] result<void> find_start(const read_options& wanted,
                                        record_table::row_index row,
                                        read_job& job) const;

  settings config_;
  memory_budget& budget_;
  const torpor::clock& clock_;
  record_table records_;
  block_index index_;
  std::shared_ptr<const segment_list> segments_;
  slab<awake_stream> awake_;
  std::deque<awake_index> queue_;
  std::uint32_t in_flight_ = 0;
  std::vector<std::unique_ptr<pending_block>> blocks_; ///< Free ones.
  std::unordered_multimap<std::uint64_t, std::unique_ptr<read_request>> parked_;
  std::unordered_map<std::uint64_t, std::uint64_t> tickets_; ///< To stream ids.
  std::uint64_t relieved_at_ = 0; ///< Monotonic ms; 0: never.
  std::uint64_t released_ = 0; ///< Budget to be given back at the end of a call.
  std::unique_ptr<error> failed_;
  std::unique_ptr<error> full_;
  bool stopping_ = false;
  std::function<void()> quiet_; ///< To be called when nothing is awake.
  bool retains_ = false; ///< `start_retention` was called.
  std::uint64_t review_at_ = 0; ///< When the wheel will call; 0: it will not.
  /// Where the walk over the streams that have a rule stands.
  struct rule_walk {
    std::string prefix;      ///< Of the rule.
    std::string after;       ///< The last name.
    std::size_t planned = 0; ///< Rows that it changed since it had them saved.
  };
  std::optional<rule_walk> walk_; ///< Nullopt: it is over.
  /// Pins whose forks are being made: source and number.
  std::set<std::pair<std::uint64_t, std::uint64_t>> fresh_pins_;
  std::uint64_t doubted_at_ = 0; ///< When a fork too many last asked; ms.
  table_output out_;
  table_stats stats_;
};

} // namespace torpor
