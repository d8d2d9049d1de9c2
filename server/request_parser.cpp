// SPDX-License-Identifier: Apache-2.0
#include "server/request_parser.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace torpor {

namespace {

namespace http = boost::beast::http;
using http::field;
using http::status;

// A field costs about 100 bytes of memory, and 4 bytes on the wire.
constexpr std::uint32_t fields_max = 128;

// More memory than this for a body waits until it has come.
constexpr std::uint64_t reserve_max = 64u << 10;

constexpr http_refusal too_many_fields{
  status::request_header_fields_too_large, "too_large",
  "the request's header has more than 128 fields"};
constexpr http_refusal unknown_method{
  status::not_implemented, "not_implemented",
  "the request's method is none that HTTP knows"};
constexpr http_refusal host_missing{
  status::bad_request, "invalid_argument",
  "a request of HTTP/1.1 needs one field 'Host'"};
constexpr http_refusal two_hosts{status::bad_request, "invalid_argument",
                                 "a request has one field 'Host' at most"};
constexpr http_refusal host_malformed{
  status::bad_request, "invalid_argument",
  "the field 'Host' is no name or address, with or without a port"};
constexpr http_refusal fragment_given{
  status::bad_request, "invalid_argument",
  "a target has no '#': in a stream's name it is %23"};
constexpr http_refusal two_authorizations{
  status::bad_request, "invalid_argument",
  "a request has one field 'Authorization' at most"};
constexpr http_refusal coding_unknown{
  status::not_implemented, "not_implemented",
  "the only Transfer-Encoding that is understood is 'chunked'"};
constexpr http_refusal coding_misplaced{
  status::bad_request, "invalid_argument",
  "HTTP/1.0 has no Transfer-Encoding; send Content-Length"};
constexpr http_refusal expectation_unknown{
  status::expectation_failed, "invalid_argument",
  "the only Expect that is understood is '100-continue'"};

/// What may stand in an authority without user (RFC 3986, 3.2.2). It comes back
/// in `Location`.
bool is_host(std::string_view text) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=%:[]";
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
  });
}

} // namespace

request_parser::request_parser(std::uint32_t header_bytes_max,
                               std::uint64_t body_bytes_max,
                               body_budget* bodies)
  : body_share_(bodies) {
  header_limit(header_bytes_max);
  body_limit(body_bytes_max);
}

void request_parser::refuse(const http_refusal& why, error_code& failure) {
  refusal_ = &why;
  failure = http::error::bad_value;
}

void request_parser::on_request_impl(http::verb method, string_view text,
                                     string_view target, int version,
                                     error_code& failure) {
  failure = {};
  has_target_ = true;
  if (method == http::verb::unknown)
    message_.method_string(text);
  else
    message_.method(method);
  message_.target(target);
  message_.version(static_cast<unsigned>(version));
}

void request_parser::on_field_impl(field name, string_view text,
                                   string_view value, error_code& failure) {
  failure = {};
  if (has_header_)
    return;
  if (++fields_ > fields_max)
    return refuse(too_many_fields, failure);
  message_.insert(name, text, value);
}

void request_parser::on_header_impl(error_code& failure) {
  failure = {};
  has_header_ = true;
  if (const auto* why = judge_header())
    return refuse(*why, failure);
  take_authority();
}

/// A target may be a whole URL, as proxies are sent it; its authority then
/// counts, whatever the field Host says (RFC 9112, 3.2.2).
void request_parser::take_authority() {
  constexpr auto none = string_view::npos;
  const auto target = message_.target();
  const auto colon = target.find("://");
  if (target.starts_with('/') || colon == none)
    return;
  const auto scheme = target.substr(0, colon);
  const auto begin = colon + 3;
  const auto end = std::min(target.find_first_of("/?", begin), target.size());
  const std::string host{target.substr(begin, end - begin)};
  if ((!boost::beast::iequals(scheme, "http")
       && !boost::beast::iequals(scheme, "https"))
      || host.empty() || !is_host(host))
    return; // There is nothing at such a path.
  std::string path{target.substr(end)};
  if (!path.starts_with('/'))
    path.insert(0, 1, '/');
  message_.set(field::host, host);
  message_.target(path);
}

const http_refusal* request_parser::judge_header() {
  if (message_.method() == http::verb::unknown)
    return &unknown_method;
  const auto hosts = message_.count(field::host);
  if (hosts > 1)
    return &two_hosts;
  if (message_.version() == 11 && hosts == 0)
    return &host_missing;
  if (const auto host = message_[field::host];
      !is_host({host.data(), host.size()}))
    return &host_malformed;
  if (message_.target().find('#') != boost::beast::string_view::npos)
    return &fragment_given;
  if (message_.count(field::authorization) > 1)
    return &two_authorizations;
  if (const auto* why = judge_coding())
    return why;
  const auto expected = message_.find(field::expect);
  if (expected == message_.end())
    return nullptr;
  if (!boost::beast::iequals(expected->value(), "100-continue"))
    return &expectation_unknown;
  expects_continue_ = message_.version() == 11;
  return nullptr;
}

const http_refusal* request_parser::judge_coding() const {
  const auto coding = message_.find(field::transfer_encoding);
  if (coding == message_.end())
    return nullptr;
  if (message_.version() == 10)
    return &coding_misplaced;
  if (message_.count(field::transfer_encoding) != 1
      || !boost::beast::iequals(coding->value(), "chunked"))
    return &coding_unknown;
  return nullptr;
}

void request_parser::on_body_init_impl(
  const boost::optional<std::uint64_t>& length, error_code& failure) {
  failure = {};
  if (length)
    message_.body().reserve(std::min(*length, reserve_max));
}

std::size_t request_parser::on_body_impl(string_view bytes,
                                         error_code& failure) {
  failure = {};
  message_.body().append(bytes.data(), bytes.size());
  return bytes.size();
}

void request_parser::on_chunk_header_impl(std::uint64_t, string_view,
                                          error_code& failure) {
  failure = {};
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view bytes,
                                               error_code& failure) {
  return on_body_impl(bytes, failure);
}

void request_parser::on_finish_impl(error_code& failure) {
  failure = {};
}

} // namespace torpor
