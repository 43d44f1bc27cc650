import JSON
import Testing

/// SplitMix64: the same seed gives the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension SeededGenerator {
    mutating func value(depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &self) {
        case 0: .null
        case 1: .bool(Bool.random(using: &self))
        case 2: JSONValue(Int(truncatingIfNeeded: next()) >> Int.random(in: 0..<64, using: &self))
        case 3: JSONValue(Double(bitPattern: next()))
        case 4, 5: .string(string())
        case 6: .array((0..<Int.random(in: 0..<6, using: &self)).map { _ in value(depth: depth - 1) })
        default:
            .object(
                JSONObject((0..<Int.random(in: 0..<24, using: &self)).map { _ in (string(), value(depth: depth - 1)) }))
        }
    }

    mutating func string() -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0x61...0x7A, 0x61...0x7A, 0...0x22, 0x5C...0x5C, 0x7F...0x7FF, 0x800...0xD7FF, 0xE000...0x10FFFF,
        ]
        var result = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<20, using: &self) {
            let range = ranges[Int.random(in: 0..<ranges.count, using: &self)]
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &self)) { result.append(scalar) }
        }
        return String(result)
    }

    /// Bytes changed, dropped, doubled or put in, one to four times.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        let syntax = Array("{}[]\",:\\0-e.tn \u{0}".utf8) + [0xFF, 0xC3]
        for _ in 0..<Int.random(in: 1...4, using: &self) where !result.isEmpty {
            let place = Int.random(in: 0..<result.count, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0: result[place] = UInt8(truncatingIfNeeded: next())
            case 1: result.remove(at: place)
            case 2: result.insert(syntax[Int.random(in: 0..<syntax.count, using: &self)], at: place)
            default: result.removeSubrange(place..<min(place + 5, result.count))
            }
        }
        return result
    }
}

@Suite struct PropertyTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `any value survives writing and reading`(_ seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        for _ in 0..<300 {
            let value = random.value(depth: 4)
            let compact = value.serialized()
            #expect(try JSONValue(parsing: compact) == value)
            #expect(try JSONValue(parsing: compact).serialized() == compact)
            #expect(try JSONValue(parsing: value.serialized(indent: " ")).serialized() == compact)
            #expect(try JSONDocument(parsing: compact).root.value.serialized() == compact)
            #expect(compact.withUnsafeBytes { scans($0) })
        }
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64]) func `no damage crashes, and all readers judge it alike`(
        _ seed: UInt64
    ) throws {
        var random = SeededGenerator(state: seed)
        for _ in 0..<1500 {
            let bytes = random.mutated(random.value(depth: 3).serialized())
            let verdict = verdicts(bytes)
            #expect(verdict == Array(repeating: verdict[0], count: 3))
            guard let value = try? JSONValue(parsing: bytes) else { continue }
            #expect(try JSONValue(parsing: value.serialized()) == value)
        }
    }
}
