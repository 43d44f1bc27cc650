import PMModel

/// The first members of a line in the file of events, read without parsing the whole line:
/// `{"seq":1,"at":"2026-11-23T01:02:03.456789Z","kind":"exit","service":"web",…}`.
public struct EventLine: Equatable, Sendable {
    /// The number of the event.
    public let seq: UInt64
    /// Its time, as text: the order of such texts is the order of times.
    public let at: String
    /// Its kind.
    public let kind: String
    /// The name of its service as JSON writes it between the quotation marks; empty: an event of the daemon.
    public let service: String

    /// Makes the members of an event that is not read.
    public init(seq: UInt64, at: String, kind: String, service: String) {
        (self.seq, self.at, self.kind, self.service) = (seq, at, kind, service)
    }

    /// Reads the first members; nil for a line that was torn or is none of ours.
    public init?(_ line: UnsafeRawBufferPointer) {
        var rest = LineScanner(bytes: line)
        guard line.last == UInt8(ascii: "}"), rest.skip(#"{"seq":"#), let seq = rest.number(),
            rest.skip(#","at":""#), let at = rest.text(), rest.skip(#","kind":""#), let kind = rest.text()
        else { return nil }
        (self.seq, self.at, self.kind) = (seq, at, kind)
        if rest.skip(#","service":""#) {
            guard let text = rest.text() else { return nil }
            service = text
        } else {
            service = ""
        }
    }

    /// The number of bytes of the line before the name of its service.
    var bytesBeforeService: Int {
        #"{"seq":\#(seq),"at":"\#(at)","kind":"\#(kind)","service":""#.utf8.count
    }

    /// What shares the room of the file with others: a service with all its instances, or a kind of events of the daemon.
    public var group: String {
        guard !service.isEmpty else { return "#" + kind }
        return InstanceName(service)?.unit ?? service
    }
}

/// What is left of a line that is read.
private struct LineScanner {
    let bytes: UnsafeRawBufferPointer
    var place = 0

    mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - place >= count else { return false }
        for index in 0..<count where bytes[place + index] != text.utf8Start[index] { return false }
        place += count
        return true
    }

    mutating func number() -> UInt64? {
        var number: UInt64 = 0
        let start = place
        // More digits than 19 may be no 64 bits.
        while place < bytes.count, place - start < 19, (0x30...0x39).contains(bytes[place]) {
            number = number * 10 + UInt64(bytes[place] - 0x30)  // bounded: 19 digits
            place += 1
        }
        return place == start ? nil : number
    }

    /// The bytes up to the next quotation mark, which is left behind.
    mutating func text() -> String? {
        let start = place
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\\"): place += 2
            case UInt8(ascii: "\""):
                let text = String(decoding: bytes[start..<place], as: UTF8.self)
                place += 1
                return text
            default: place += 1
            }
        }
        return nil
    }
}
