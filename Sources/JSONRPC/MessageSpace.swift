internal import Glibc

/// Room at the end of an array for one message: it grows once, and the pieces are copied where they belong.
struct MessageSpace {
    /// More than all texts and numbers that stand around what a message carries.
    private static let frame = 96

    private let bytes: UnsafeMutableRawBufferPointer
    private var count = 0

    /// Appends what `fill` puts: at most `size` bytes, and the texts around them.
    @inline(__always)
    static func append(to output: inout [UInt8], _ size: Int, _ fill: (inout MessageSpace) -> Void) {
        output.append(addingCapacity: size + frame) { (span: inout OutputSpan<UInt8>) in
            span.withUnsafeMutableBufferPointer { buffer, count in
                var space = MessageSpace(
                    bytes: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
                fill(&space)
                count += space.count
            }
        }
    }

    private init(bytes: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
    }

    /// Start of the next piece.
    @inline(__always)
    private mutating func reserve(_ size: Int) -> UnsafeMutableRawPointer? {
        precondition(size <= bytes.count - count, "a message is longer than was said")
        defer { count += size }
        return bytes.baseAddress.map { $0 + count }
    }

    @inline(__always)
    mutating func put(_ text: StaticString) {
        guard let place = reserve(text.utf8CodeUnitCount) else { return }
        memcpy(place, text.utf8Start, text.utf8CodeUnitCount)
    }

    @inline(__always)
    mutating func put(_ raw: UnsafeRawBufferPointer) {
        guard let place = reserve(raw.count), let base = raw.baseAddress else { return }
        memcpy(place, base, raw.count)
    }

    /// Digits without the allocation of a string.
    mutating func put(decimal number: UInt64) {
        var (size, rest) = (1, number)
        while rest >= 10 {
            size += 1
            rest /= 10
        }
        guard let end = reserve(size).map({ $0 + size }) else { return }
        rest = number
        for place in 1...size {
            end.storeBytes(
                of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: -place, as: UInt8.self)
            rest /= 10
        }
    }
}
