import JSONRPC

/// A stream in pieces of many sizes against the lines that it plainly has. The first two bytes choose the limit and the
/// pieces, the rest is the stream.
enum FramerTarget {
    enum Event: Equatable {
        case line([UInt8])
        case tooLong
        case remainder([UInt8])
    }

    static func check(_ input: [UInt8]) throws(Finding) {
        guard input.count >= 2 else { return }
        let limit = Int(input[0] % 64)
        let stream = Array(input[2...])
        let expected = lines(of: stream, limit: limit)
        for pieces in [1, Int(input[1] % 7) + 2, Int(input[1]) + 1, stream.count + 1] {
            try require(framed(stream, limit, pieces) == expected, "lines do not depend on how the stream is torn")
        }
    }

    /// The lines by definition.
    static func lines(of stream: [UInt8], limit: Int) -> [Event] {
        var parts = stream.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let rest = parts.popLast() ?? []
        let events = parts.map { part -> Event in
            let line = part.last == UInt8(ascii: "\r") ? part.dropLast() : part
            return line.count > limit ? .tooLong : .line(Array(line))
        }
        if rest.isEmpty { return events }
        // One more byte may be the \r of a line end that has not come.
        return events + [rest.count > limit + 1 ? .tooLong : .remainder(Array(rest))]
    }

    private static func framed(_ stream: [UInt8], _ limit: Int, _ piece: Int) -> [Event] {
        var framer = LineFramer(limit: limit)
        var events: [Event] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let next = rest.prefix(piece)
            rest = rest.dropFirst(piece)
            framer.withFreeSpace(minimum: next.count) { (space: UnsafeMutableRawBufferPointer) -> Int in
                space.copyBytes(from: next)
                return next.count
            }
            takeLines(&framer, &events)
        }
        if let remainder = framer.takeRemainder() { events.append(.remainder(Array(remainder))) }
        return events
    }

    private static func takeLines(_ framer: inout LineFramer, _ events: inout [Event]) {
        while true {
            do throws(LineTooLong) {
                guard let line = try framer.nextLine() else { return }
                events.append(.line(Array(line)))
            } catch {
                events.append(.tooLong)
            }
        }
    }
}
