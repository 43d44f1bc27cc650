import Glibc
import PMModel

/// Makes lines of chunks: the streams are kept apart, so that a line begun on one is not mixed with the other's.
///
/// Lines come out in the order in which they end.
public struct LineAssembler {
    private struct Partial {
        var bytes: [UInt8] = []
        var time = WallTime(nanoseconds: 0)
    }

    private let limit: Int
    private var partials: [Partial] = [Partial](repeating: Partial(), count: LogStream.allCases.count)

    /// Makes an assembler; a line longer than `limit` bytes comes out in pieces.
    public init(limit: Int = 1 << 20) {
        self.limit = max(1, limit)
    }

    /// Takes a chunk and hands out the lines that it ends.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer, _ stamp: LogStamp, _ emit: (LogLine) -> Void) {
        if stamp.startsAnew { finish(stamp.stream, .brokenOff, emit) }
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            guard let found = memchr(base, 10, rest.count) else { break }
            let length = UnsafeRawPointer(found) - base
            add(UnsafeRawBufferPointer(rebasing: rest[..<length]), stamp, emit)
            emitLine(stamp, .newline, emit)
            rest = UnsafeRawBufferPointer(rebasing: rest[(length + 1)...])
        }
        add(rest, stamp, emit)
    }

    /// The line of a stream that has not ended yet; nil when there is none.
    public func unfinished(_ stream: LogStream) -> LogLine? {
        let partial = partials[Int(stream.rawValue)]
        return partial.bytes.isEmpty ? nil : LogLine(stream, at: partial.time, partial.bytes, end: .unfinished)
    }

    /// Hands out what is left of each stream as unfinished lines, oldest first.
    public mutating func finish(_ emit: (LogLine) -> Void) {
        let left = LogStream.allCases.filter { !partials[Int($0.rawValue)].bytes.isEmpty }
        for stream in left.sorted(by: { partials[Int($0.rawValue)].time < partials[Int($1.rawValue)].time }) {
            finish(stream, .unfinished, emit)
        }
    }

    private mutating func finish(_ stream: LogStream, _ end: LineEnd, _ emit: (LogLine) -> Void) {
        let partial = partials[Int(stream.rawValue)]
        guard !partial.bytes.isEmpty else { return }
        emitLine(LogStamp(stream, at: partial.time), end, emit)
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer, _ stamp: LogStamp, _ emit: (LogLine) -> Void) {
        let slot = Int(stamp.stream.rawValue)
        var rest = bytes
        while !rest.isEmpty {
            if partials[slot].bytes.count == limit { emitLine(stamp, .split, emit) }
            if partials[slot].bytes.isEmpty { partials[slot].time = stamp.time }
            let count = min(rest.count, limit - partials[slot].bytes.count)
            partials[slot].bytes.append(contentsOf: rest[..<count])
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private mutating func emitLine(_ stamp: LogStamp, _ end: LineEnd, _ emit: (LogLine) -> Void) {
        let slot = Int(stamp.stream.rawValue)
        let time = partials[slot].bytes.isEmpty ? stamp.time : partials[slot].time
        var bytes: [UInt8] = []
        swap(&bytes, &partials[slot].bytes)
        emit(LogLine(stamp.stream, at: time, bytes, end: end))
    }
}
