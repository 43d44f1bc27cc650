/// The last lines of a program that are done, in case it moves the cursor up to them.
struct PrefixerHistory {
    private static let limit = 8192
    private var bytes: [UInt8] = []

    mutating func append(_ line: some Sequence<UInt8>) {
        bytes += line
        bytes.append(10)
        guard bytes.count > 2 * Self.limit else { return }
        bytes.removeFirst(bytes.count - Self.limit)
        // The first line may have lost its beginning.
        if let end = bytes.firstIndex(of: 10) { bytes.removeFirst(end + 1) }
    }

    /// Takes the last lines out, oldest first.
    mutating func takeLast(_ count: Int) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while lines.count < count, !bytes.isEmpty {
            bytes.removeLast()
            let start = bytes.lastIndex(of: 10).map { $0 + 1 } ?? 0
            lines.append(Array(bytes[start...]))
            bytes.removeLast(bytes.count - start)
        }
        return lines.reversed()
    }
}

/// The look that SGR sequences add up to, as the parameters of one sequence.
enum PrefixerLook {
    private static let longest = 64

    static func adding(_ parameters: [UInt8], to look: [UInt8]) -> [UInt8] {
        let parts = parameters.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        // A colour given by numbers (38;5;0) may hold a zero that resets nothing.
        let resets = isColourByNumber(parts) ? nil : parts.lastIndex { $0.allSatisfy { $0 == UInt8(ascii: "0") } }
        let start = resets.map { $0 + 1 } ?? 0
        let added = Array(parts[start...].joined(separator: [UInt8(ascii: ";")]))
        if resets != nil || look.isEmpty { return added }
        if added.isEmpty { return look }
        // A program that never resets and always adds: the newest is what shows.
        return look.count + added.count < longest ? look + [UInt8(ascii: ";")] + added : added
    }

    private static func isColourByNumber(_ parts: [ArraySlice<UInt8>]) -> Bool {
        parts.contains { $0.elementsEqual("38".utf8) || $0.elementsEqual("48".utf8) }
    }
}
