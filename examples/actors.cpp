// SPDX-License-Identifier: Apache-2.0
// A store inside a program that is made of actors: the store's actors run in
// the program's own actor system, and writes are messages.
//
//   example_actors [DIRECTORY]
#include "examples/scratch_directory.hpp"
#include "torpor/messages.hpp"
#include "torpor/runtime.hpp"

#include <caf/all.hpp>

#include <iostream>
#include <map>
#include <string>
#include <utility>

namespace host {

/// What the station has written so far.
struct tally {
  std::uint64_t entries = 0; ///< Durable.
  std::uint64_t failed = 0;
  std::uint64_t batches = 0;
};

} // namespace host

CAF_BEGIN_TYPE_ID_BLOCK(host, first_custom_type_id)

  CAF_ADD_ATOM(host, host, measured_atom, "measured")
  CAF_ADD_ATOM(host, host, written_atom, "written")
  CAF_ADD_ATOM(host, host, finish_atom, "finish")

CAF_END_TYPE_ID_BLOCK(host)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(host::tally)

namespace host {

using batch_handoff = torpor::handoff<torpor::write_batch>;

/// STATION: keeps what devices measure, one stream per device.
using station_actor = caf::typed_actor<
  // A measurement of a device. No reply.
  caf::reacts_to<measured_atom, std::uint32_t, std::string>,
  // INTERNAL: a batch is back; each of its requests has an outcome.
  caf::reacts_to<written_atom, batch_handoff>,
  // Replies when all that was measured before has an outcome.
  caf::replies_to<finish_atom>::with<tally>>;

/// Turns the end of one batch into a message to the station, then dies.
class return_to final : public torpor::write_sink {
public:
  explicit return_to(station_actor station) : station_(std::move(station)) {}

  // On a pool thread of the system, in the middle of the shard's work.
  void done(std::unique_ptr<torpor::write_batch> batch) override {
    const std::unique_ptr<return_to> last{this};
    batch->sink(nullptr); // Nobody, should the station be gone by now.
    caf::anon_send(station_, written_atom::value,
                   batch_handoff{std::move(batch)});
  }

private:
  station_actor station_;
};

struct station_state {
  static inline const char* name = "station";

  void measured(std::uint32_t device, const std::string& value);
  void written(std::unique_ptr<torpor::write_batch> batch);
  caf::result<tally> finish();

  station_actor::pointer self = nullptr;
  std::shared_ptr<torpor::engine> store;

private:
  /// All requests of a batch belong to one shard. While one batch is under
  /// way the next one collects: the busier the disk, the larger the batches.
  struct lane {
    torpor::shard_actor shard;
    std::unique_ptr<torpor::write_batch> collecting;
    bool under_way = false;
  };

  void send(lane& from);
  void answer_if_done();

  std::map<caf::actor_id, lane> lanes_;
  std::vector<caf::typed_response_promise<tally>> finishing_;
  tally tally_;
};

void station_state::measured(std::uint32_t device, const std::string& value) {
  const auto stream = "device/" + std::to_string(device);
  const auto& shard = torpor::shard_for(*store, stream);
  auto& its = lanes_[shard.id()];
  its.shard = shard;
  if (!its.collecting)
    its.collecting = std::make_unique<torpor::write_batch>();
  its.collecting->append({{}, stream}, {}, shard.id());
  its.collecting->add(torpor::as_bytes(value));
  if (!its.under_way)
    send(its);
}

void station_state::send(lane& from) {
  from.under_way = true;
  from.collecting->sink(new return_to{self});
  self->send(from.shard, torpor::write_atom::value,
             batch_handoff{std::move(from.collecting)});
}

void station_state::written(std::unique_ptr<torpor::write_batch> batch) {
  ++tally_.batches;
  for (std::size_t i = 0; i < batch->size(); ++i) {
    if (batch->outcome(i).code == torpor::errc{}) {
      ++tally_.entries;
    } else {
      ++tally_.failed;
      std::cerr << to_string(batch->failure(i)) << '\n';
    }
  }
  auto& its = lanes_[batch->requests()[0].tag];
  its.under_way = false;
  if (its.collecting)
    send(its);
  answer_if_done();
}

caf::result<tally> station_state::finish() {
  auto promise = self->make_response_promise<tally>();
  finishing_.push_back(promise);
  answer_if_done();
  return promise;
}

void station_state::answer_if_done() {
  for (const auto& [id, its] : lanes_)
    if (its.under_way)
      return;
  for (auto& each : std::exchange(finishing_, {}))
    each.deliver(tally_);
}

station_actor::behavior_type
station(station_actor::stateful_pointer<station_state> self,
        std::shared_ptr<torpor::engine> store) {
  auto& state = self->state;
  state.self = self;
  state.store = std::move(store);
  return {
    [&state](measured_atom, std::uint32_t device, const std::string& value) {
      state.measured(device, value);
    },
    [&state](written_atom, const batch_handoff& batch) {
      state.written(batch.take());
    },
    [&state](finish_atom) { return state.finish(); },
  };
}

} // namespace host

namespace {

int complain(const torpor::error& why) {
  std::cerr << to_string(why) << '\n';
  return 1;
}

int run(const std::string& directory) {
  // The system outlives the store, and the store the station.
  caf::actor_system_config config;
  caf::actor_system system{config};
  torpor::options options;
  options.data_dir = directory;
  const auto store = torpor::runtime::open(options, system);
  if (!store)
    return complain(store.error());

  const auto station = system.spawn(host::station, store->engine());
  constexpr std::uint32_t devices = 100;
  constexpr int rounds = 20;
  for (int round = 0; round < rounds; ++round)
    for (std::uint32_t device = 0; device < devices; ++device)
      caf::anon_send(station, host::measured_atom::value, device,
                     std::to_string(20 + round) + " degrees");

  caf::scoped_actor self{system};
  host::tally total;
  self->request(station, caf::infinite, host::finish_atom::value)
    .receive([&](const host::tally& done) { total = done; },
             [&](const caf::error&) { ++total.failed; });
  std::cout << total.entries << " entries of " << devices
            << " streams are durable, " << total.failed << " failed\n"
            << "they took " << total.batches << " messages and "
            << store->stats().commits << " syncs of the disk\n";

  // Both ways into the store see the same streams.
  const auto page = store->stream("device/7").read().get();
  if (!page)
    return complain(page.error());
  std::cout << "device/7 has " << raw(page->next) << " entries, the last is '"
            << torpor::as_text(page->entries.back().payload) << "'\n";
  return total.failed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  const scratch_directory place{argc > 1 ? argv[1] : ""};
  return run(place.path());
}
