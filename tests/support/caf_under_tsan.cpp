// SPDX-License-Identifier: Apache-2.0

// Tells ThreadSanitizer how CAF hands messages over. Debian's libcaf_core is
// compiled without it, so the atomics of a mailbox are invisible and every
// message between two threads looks like a race. The functions below take the
// place of CAF's own (the dynamic linker finds the program's first), state the
// orders that CAF guarantees, and call the original:
//   * what a sender did before `enqueue`, the handler of that message sees, and
//     so does the receiver that ends and throws it away;
//   * the same holds on the way through the clock, if it is delayed;
//   * what an actor did in one message, it sees in the next, on any thread;
//   * whoever drops the last reference to an actor sees all that was done.
// Everything else is checked as usual. Empty in all other builds.
#ifdef __SANITIZE_THREAD__

#include <caf/all.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <utility>

namespace {

/// CAF's own definition of the function with that mangled name.
template <class Function>
Function* original(const char* mangled) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, mangled));
}

template <class Actor>
using enqueue_function = void(Actor*, caf::mailbox_element_ptr,
                              caf::execution_unit*);
template <class Visitor>
using visit_function = caf::intrusive::task_result(Visitor*,
                                                   caf::mailbox_element&);
using delay_function = void(caf::detail::thread_safe_actor_clock*,
                            caf::actor_clock::time_point,
                            caf::strong_actor_ptr, caf::mailbox_element_ptr);
using bounce_function = void(const caf::detail::sync_request_bouncer*,
                             const caf::mailbox_element&);
using launch_function = void(caf::scheduled_actor*, caf::execution_unit*, bool,
                             bool);
using activate_function = bool(caf::scheduled_actor*, caf::execution_unit*);
using release_function = void(caf::actor_control_block*);

/// Puts a message into a mailbox with `next`, which may also throw it away. The
/// clock does so with one that another thread made.
template <class Actor>
void enqueue(enqueue_function<Actor>* next, Actor* receiver,
             caf::mailbox_element_ptr message, caf::execution_unit* context) {
  __tsan_acquire(message.get());
  __tsan_release(message.get());
  next(receiver, std::move(message), context);
}

/// Lets an actor handle a message with `next`.
template <class Visitor>
caf::intrusive::task_result handle(visit_function<Visitor>* next,
                                   Visitor* visitor,
                                   caf::mailbox_element& message) {
  auto* const receiver = visitor->self;
  __tsan_acquire(&message);
  __tsan_acquire(receiver);
  const auto result = next(visitor, message);
  __tsan_release(receiver);
  return result;
}

/// Drops a reference with `next`.
void release(release_function* next, caf::actor_control_block* actor) {
  __tsan_release(actor);
  __tsan_acquire(actor);
  next(actor);
}

} // namespace

namespace caf {

void scheduled_actor::enqueue(mailbox_element_ptr message,
                              execution_unit* context) {
  static auto* const next = original<enqueue_function<scheduled_actor>>(
    "_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_element"
    "ENS_6detail8disposerEEPNS_14execution_unitE");
  ::enqueue(next, this, std::move(message), context);
}

void blocking_actor::enqueue(mailbox_element_ptr message,
                             execution_unit* context) {
  static auto* const next = original<enqueue_function<blocking_actor>>(
    "_ZN3caf14blocking_actor7enqueueESt10unique_ptrINS_15mailbox_element"
    "ENS_6detail8disposerEEPNS_14execution_unitE");
  ::enqueue(next, this, std::move(message), context);
}

intrusive::task_result
scheduled_actor::mailbox_visitor::operator()(mailbox_element& message) {
  static auto* const next = original<visit_function<mailbox_visitor>>(
    "_ZN3caf15scheduled_actor15mailbox_visitorclERNS_15mailbox_elementE");
  return handle(next, this, message);
}

intrusive::task_result
blocking_actor::mailbox_visitor::operator()(mailbox_element& message) {
  static auto* const next = original<visit_function<mailbox_visitor>>(
    "_ZN3caf14blocking_actor15mailbox_visitorclERNS_15mailbox_elementE");
  return handle(next, this, message);
}

void detail::thread_safe_actor_clock::schedule_message(
  time_point when, strong_actor_ptr receiver, mailbox_element_ptr message) {
  static auto* const next = original<delay_function>(
    "_ZN3caf6detail23thread_safe_actor_clock16schedule_messageENSt6chrono10time_"
    "pointINS2_3_V212steady_clockENS2_8durationIlSt5ratioILl1ELl1000000000EEEEEE"
    "NS_13intrusive_ptrINS_19actor_control_blockEEESt10unique_ptrINS_15mailbox_"
    "elementENS0_8disposerEE");
  __tsan_release(message.get());
  next(this, when, std::move(receiver), std::move(message));
}

void detail::sync_request_bouncer::operator()(
  const mailbox_element& message) const {
  static auto* const next = original<bounce_function>(
    "_ZNK3caf6detail20sync_request_bouncerclERKNS_15mailbox_elementE");
  __tsan_acquire(const_cast<mailbox_element*>(&message));
  next(this, message);
}

void scheduled_actor::launch(execution_unit* context, bool lazy, bool hide) {
  static auto* const next = original<launch_function>(
    "_ZN3caf15scheduled_actor6launchEPNS_14execution_unitEbb");
  __tsan_release(this);
  next(this, context, lazy, hide);
}

bool scheduled_actor::activate(execution_unit* context) {
  static auto* const next = original<activate_function>(
    "_ZN3caf15scheduled_actor8activateEPNS_14execution_unitE");
  __tsan_acquire(this);
  const auto alive = next(this, context);
  __tsan_release(this);
  return alive;
}

void intrusive_ptr_release(actor_control_block* actor) {
  static auto* const next = original<release_function>(
    "_ZN3caf21intrusive_ptr_releaseEPNS_19actor_control_blockE");
  release(next, actor);
}

void intrusive_ptr_release_weak(actor_control_block* actor) {
  static auto* const next = original<release_function>(
    "_ZN3caf26intrusive_ptr_release_weakEPNS_19actor_control_blockE");
  release(next, actor);
}

} // namespace caf

#endif
