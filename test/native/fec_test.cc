#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "hex.h"
#include "kcp/fec.h"
#include "kcp/segment.h"
#include "message.h"

namespace dmicro {
namespace {

using Datagram = std::vector<uint8_t>;

// Datagrams of one group with their parity.
std::vector<Datagram> MakeGroup(FecEncoder* encoder, uint32_t data, uint32_t now, std::mt19937* random) {
  std::vector<Datagram> group;
  for (uint32_t i = 0; i < data; i++) {
    Datagram datagram(kFecHeader + 24 + (*random)() % 400);
    for (uint8_t& byte : datagram) byte = static_cast<uint8_t>((*random)());
    encoder->Seal(datagram.data(), datagram.size(), now);
    group.push_back(datagram);
  }
  while (encoder->HasParity()) {
    Datagram parity(encoder->ParitySize());
    encoder->TakeParity(parity.data());
    group.push_back(parity);
  }
  return group;
}

// Segments that a decoder has repaired.
std::vector<Datagram> Take(FecDecoder* decoder, const Datagram& datagram) {
  std::vector<Datagram> repaired;
  decoder->Take({datagram.data(), datagram.size()}, [&](Bytes shard) {
    const uint32_t size = LoadLittle16(shard.data);
    Require(size >= 2 && size <= shard.size, "size of a repaired shard");
    repaired.emplace_back(shard.data + 2, shard.data + size);
  });
  return repaired;
}

Datagram SegmentsOf(const Datagram& datagram) { return {datagram.begin() + kFecHeader, datagram.end()}; }

TEST_CASE("products are those of the polynomial 0x11d, by vectors and without") {
  CHECK(GaloisMultiply(2, 0x80) == 0x1d);
  CHECK(GaloisMultiply(7, 0) == 0);
  std::mt19937 random(1);
  for (size_t n = 0; n < 100; n++) {
    std::vector<uint8_t> from(n), expected(n), fast(n);
    for (uint8_t& byte : from) byte = static_cast<uint8_t>(random());
    const uint8_t factor = static_cast<uint8_t>(random());
    AddProductPlain(expected.data(), from.data(), n, factor);
    AddProduct(fast.data(), from.data(), n, factor);
    CHECK(fast == expected);
    for (size_t i = 0; i < n; i++) CHECK(expected[i] == GaloisMultiply(factor, from[i]));
  }
}

TEST_CASE("the coding matrix of 10 and 3 is that of kcp-go") {
  const std::shared_ptr<const GaloisMatrix> matrix = CodingMatrix(10, 3);
  const char* const rows[] = {"8196afb8d2c4fee80302", "9681b8afc4d2e8fe0203", "bfd6620a066fdfb70504"};
  for (size_t r = 0; r < 3; r++) {
    const std::string expected = Hex(rows[r]);
    CHECK(std::equal(expected.begin(), expected.end(), matrix->Row(10 + r),
                     [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; }));
  }
  for (size_t r = 0; r < 10; r++) {
    for (size_t c = 0; c < 10; c++) CHECK(matrix->Row(r)[c] == (r == c ? 1 : 0));
  }
}

TEST_CASE("any ten of thirteen datagrams are enough, in any order, and nine are not") {
  std::mt19937 random(2);
  FecEncoder encoder(10, 3);
  FecDecoder decoder(10, 3);
  for (int round = 0; round < 200; round++) {
    CAPTURE(round);
    const std::vector<Datagram> group = MakeGroup(&encoder, 10, 0, &random);
    REQUIRE(group.size() == 13);
    std::vector<size_t> order(13);
    for (size_t i = 0; i < 13; i++) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    const size_t arrive = round % 10 == 0 ? 9 : 10;
    std::vector<Datagram> repaired;
    for (size_t i = 0; i < arrive; i++) {
      for (const Datagram& each : Take(&decoder, group[order[i]])) repaired.push_back(each);
      CHECK(Take(&decoder, group[order[i]]).empty());  // the same one again is worth nothing
    }
    std::vector<Datagram> expected;
    for (size_t place = 0; place < 10 && arrive == 10; place++) {
      if (std::find(order.begin(), order.begin() + 10, place) == order.begin() + 10)
        expected.push_back(SegmentsOf(group[place]));
    }
    CHECK(repaired == expected);
    CHECK_FALSE(decoder.Off());
  }
}

TEST_CASE("groups repair one another's losses not, and a late datagram still counts for one of the last three") {
  std::mt19937 random(3);
  FecEncoder encoder(2, 1);
  std::vector<std::vector<Datagram>> groups;
  for (int i = 0; i < 5; i++) groups.push_back(MakeGroup(&encoder, 2, 0, &random));
  FecDecoder decoder(2, 1);
  for (const std::vector<Datagram>& group : groups) CHECK(Take(&decoder, group[0]).empty());
  CHECK(Take(&decoder, groups[1][2]).empty());
  for (const size_t late : {2u, 3u, 4u})
    CHECK(Take(&decoder, groups[late][2]) == std::vector<Datagram>{SegmentsOf(groups[late][1])});
}

TEST_CASE("parity is sent only close to the data, and its ids are skipped otherwise") {
  std::mt19937 random(4);
  FecEncoder encoder(1, 1);
  CHECK(MakeGroup(&encoder, 1, 1000, &random).size() == 1);  // nothing was sent before
  CHECK(MakeGroup(&encoder, 1, 1499, &random).size() == 2);
  CHECK(MakeGroup(&encoder, 1, 1999, &random).size() == 1);
  const Datagram next = MakeGroup(&encoder, 1, 1999, &random)[0];
  CHECK(LoadLittle32(next.data()) == 6);
  CHECK(MakeGroup(&encoder, 1, UINT32_MAX, &random).size() == 2);  // the clock went back
}

TEST_CASE("ids begin again after the last whole group, and repairs go on") {
  std::mt19937 random(5);
  FecEncoder encoder(10, 3);
  FecDecoder decoder(10, 3);
  const uint32_t last = 0xffffffff / 13 * 13 - 13;
  std::vector<Datagram> group = MakeGroup(&encoder, 10, 0, &random);
  const auto renumber = [&](uint32_t from) {
    for (size_t i = 0; i < 13; i++) StoreLittle32(group[i].data(), from + static_cast<uint32_t>(i));
  };
  for (const uint32_t from : {last / 26 * 13, last, 0u, 13u}) {
    renumber(from);
    std::vector<Datagram> repaired;
    for (size_t i = 1; i < 11; i++) {
      for (const Datagram& each : Take(&decoder, group[i])) repaired.push_back(each);
    }
    CHECK(repaired == std::vector<Datagram>{SegmentsOf(group[0])});
  }
  renumber(0xffffffff / 13 * 13);  // ids that no encoder uses
  for (const Datagram& datagram : group) {
    if (LoadLittle32(datagram.data()) >= 13) CHECK(Take(&decoder, datagram).empty());
  }
}

TEST_CASE("groups of another size turn repairs off") {
  std::mt19937 random(6);
  FecEncoder encoder(5, 2);
  FecDecoder decoder(10, 3);
  for (const Datagram& datagram : MakeGroup(&encoder, 5, 0, &random)) Take(&decoder, datagram);
  CHECK(decoder.Off());
}

}  // namespace
}  // namespace dmicro
