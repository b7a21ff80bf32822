#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dmicro_bench {

// A seq as most protocols write it.
class DecimalSeq {
 public:
  explicit DecimalSeq(int32_t seq)
      : size_(static_cast<size_t>(std::to_chars(text_, text_ + sizeof text_, seq).ptr - text_)) {}
  std::string_view Text() const { return {text_, size_}; }

 private:
  char text_[12];
  size_t size_;
};

// False for anything but one whole number that fits.
template <typename Number>
bool DecodeDecimal(std::string_view text, Number* number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

}  // namespace dmicro_bench
