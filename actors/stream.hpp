// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/roster.hpp"

#include <caf/all.hpp>
#include <caf/intrusive/lifo_inbox.hpp>

namespace torpor {

/// What a shard sends to a stream actor.
struct sync_job {
  pending_block* block = nullptr;
};

} // namespace torpor

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(torpor::sync_job)

namespace torpor {

/// STREAM: one awake stream. Turns its buffered entries into a block, on the
/// pool, and hands it to the journal.
///
/// Message: (sync_atom, sync_job). No reply: the block comes back to the shard
/// from the journal. The shard has at most one in flight per stream.
///
/// A lean actor class: an event_based_actor takes 1 KB, and most of the time
/// of a wake went into making one. This one has neither behavior nor timeouts
/// nor replies. When its stream hibernates, the shard parks it for the next
/// stream that wakes.
class stream_impl final : public caf::local_actor,
                          public caf::dynamically_typed_actor_base,
                          public caf::non_blocking_actor_base,
                          public caf::resumable {
public:
  stream_impl(caf::actor_config& config, std::shared_ptr<roster> all);

  /// Makes a stream actor that waits for its first message.
  [[nodiscard]] static caf::strong_actor_ptr
  make(caf::actor_system& system, std::shared_ptr<roster> all);

  void enqueue(caf::mailbox_element_ptr message,
               caf::execution_unit* host) override;
  void launch(caf::execution_unit*, bool, bool) override {}
  const char* name() const override { return "stream"; }

  subtype_t subtype() const override { return unspecified; }
  resume_result resume(caf::execution_unit* host, std::size_t) override;
  void intrusive_ptr_add_ref_impl() override;
  void intrusive_ptr_release_impl() override;

private:
  struct inbox_policy {
    using mapped_type = caf::mailbox_element;
    using unique_pointer = caf::mailbox_element_ptr;
  };

  void handle(caf::mailbox_element& message);
  void sync(pending_block* block);

  std::shared_ptr<roster> all_;
  journal_actor journal_; ///< Needed after a block was given away.
  caf::intrusive::lifo_inbox<inbox_policy> inbox_;
};

} // namespace torpor
