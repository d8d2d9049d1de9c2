// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace torpor::test {

/// Writes a key and a certificate for `host` (a DNS name or "127.0.0.1") that
/// it signs itself, as PEM.
void write_certificate(const std::string& host, const std::string& key_path,
                       const std::string& certificate_path);

} // namespace torpor::test
