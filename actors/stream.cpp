// SPDX-License-Identifier: Apache-2.0
#include "actors/stream.hpp"

namespace torpor {

stream_impl::stream_impl(caf::actor_config& config, std::shared_ptr<roster> all)
  : caf::local_actor(config), all_(std::move(all)), journal_(all_->journal) {
  inbox_.try_block();
}

caf::strong_actor_ptr stream_impl::make(caf::actor_system& system,
                                        std::shared_ptr<roster> all) {
  caf::actor_config config;
  return caf::make_actor<stream_impl, caf::strong_actor_ptr>(
    system.next_actor_id(), system.node(), &system, config, std::move(all));
}

void stream_impl::enqueue(caf::mailbox_element_ptr message,
                          caf::execution_unit* host) {
  if (inbox_.push_front(std::move(message))
      != caf::intrusive::inbox_result::unblocked_reader)
    return;
  // The pool holds a reference while the actor is in its queue.
  caf::intrusive_ptr_add_ref(ctrl());
  if (host != nullptr)
    host->exec_later(this);
  else
    home_system().scheduler().enqueue(this);
}

caf::resumable::resume_result stream_impl::resume(caf::execution_unit* host,
                                                  std::size_t) {
  context(host);
  do {
    // The shard has one sync in flight, so the order of several is no matter.
    auto* message = inbox_.take_head();
    while (message != nullptr) {
      auto* next = static_cast<caf::mailbox_element*>(message->next);
      const caf::mailbox_element_ptr owned{message};
      handle(*owned);
      message = next;
    }
  } while (!inbox_.try_block());
  return awaiting_message;
}

void stream_impl::handle(caf::mailbox_element& message) {
  auto& content = message.content();
  if (content.match_elements<sync_atom, sync_job>())
    sync(content.get_as<sync_job>(1).block);
}

void stream_impl::sync(pending_block* block) {
  block->bytes = block->builder.finish();
  if (all_->queue.push(block))
    journal_->enqueue(nullptr, caf::make_message_id(),
                          caf::make_message(commit_atom::value), context());
}

void stream_impl::intrusive_ptr_add_ref_impl() {
  caf::intrusive_ptr_add_ref(ctrl());
}

void stream_impl::intrusive_ptr_release_impl() {
  caf::intrusive_ptr_release(ctrl());
}

} // namespace torpor
