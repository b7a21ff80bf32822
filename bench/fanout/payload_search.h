#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dmicro_bench {

// Finds a payload in streams that arrive in pieces, by Knuth, Morris and Pratt: each byte is looked at a bounded number
// of times and none is kept; of a stream it need only be known how much of the payload its end may be the start of.
class PayloadSearch {
 public:
  explicit PayloadSearch(std::string payload);

  // How often the payload ends in `bytes`, the next ones of the stream that `*matched` belongs to (0 at its start).
  size_t Count(std::string_view bytes, size_t* matched) const;

 private:
  std::string payload_;
  // By the number of bytes that match: how many do still when the next one does not.
  std::vector<size_t> fallback_;
};

}  // namespace dmicro_bench
