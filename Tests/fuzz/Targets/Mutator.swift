/// Makes inputs out of inputs. The same seed gives the same inputs on every machine.
public struct Mutator {
    private var state: UInt64

    // What the formats are made of: a byte of it changes more than a random one.
    private static let tokens: [[UInt8]] = [
        "{", "}", "[", "]", "\"", ",", ":", "\\", "\\u", "\\ud800", "\\udc00", "0", "-", ".", "e", "true", "false",
        "null", "\n", "\r\n", " ", "\t", "/", "..", "*", "!", "jsonrpc", "\"2.0\"", "id", "method", "params", "result",
        "error", "stream", "containers", "mapping", "setup", "path", "name", "commands", "bin", "main", "workspaces",
        "file://", "\u{feff}", "\u{0}", "\u{10ffff}", "9223372036854775808", "1e999",
    ].map { Array($0.utf8) }

    /// Mutations that begin with this seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// One of the inputs with one to five changes.
    public mutating func next(_ inputs: [[UInt8]]) -> [UInt8] {
        var bytes = inputs[below(inputs.count)]
        for _ in 0...below(5) { change(&bytes, other: inputs[below(inputs.count)]) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8], other: [UInt8]) {
        let place = below(bytes.count + 1)
        let end = min(bytes.count, place + 1 + below(8))
        switch below(8) {
        case 0 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: random())
        case 1 where place < bytes.count: bytes[place] ^= 1 << UInt8(below(8))
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 4: bytes.replaceSubrange(place..., with: other.suffix(below(other.count + 1)))
        case 5: bytes.insert(UInt8(truncatingIfNeeded: random()), at: place)
        case 6: bytes.replaceSubrange(place..<end, with: Self.tokens[below(Self.tokens.count)])
        default: bytes.insert(contentsOf: Self.tokens[below(Self.tokens.count)], at: place)
        }
    }

    private mutating func below(_ limit: Int) -> Int { Int(random() % UInt64(limit)) }

    // SplitMix64.
    private mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
