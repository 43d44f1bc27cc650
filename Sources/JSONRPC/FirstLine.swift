/// The first line of a connection from a place where anybody may send anything: nothing of the connection is passed on or
/// executed before that line was seen whole and is a request of JSON-RPC, or a list that begins with one.
///
/// A browser sends whatever a page wants, but always after a line of HTTP. So a connection whose first line is a message was not
/// made by a page. This type decides only; who holds the connection acts.
public struct FirstLine: Sendable {
    /// The next step for a connection whose first line is being read.
    public enum Verdict: Equatable, Sendable {
        /// More bytes are needed.
        case wait
        /// The connection speaks JSON-RPC: `bytes` is all of it so far.
        case accept
        /// Send these bytes, and end the connection.
        case refuse([UInt8])
    }

    /// All bytes so far.
    public private(set) var bytes: [UInt8] = []
    private let place: String
    private let limit: Int
    private var searched = 0

    /// Nothing has come yet.
    ///
    /// - Parameters:
    ///   - place: what speaks here, for the answer to a peer that speaks something else.
    ///   - limit: the longest first line, in bytes.
    public init(place: String, limit: Int) {
        self.place = place
        self.limit = limit
    }

    /// Takes bytes as they arrive; after another verdict than `wait` nothing more is to be given.
    public mutating func received(_ more: some Sequence<UInt8>) -> Verdict {
        bytes += more
        let guess = bytes.withUnsafeBytes { Stranger.guess($0) }
        switch guess {
        case .open: return .wait
        case .stranger(let stranger): return refuse(stranger, Stranger.noMessage)
        case .json: break
        }
        guard let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            return bytes.count > limit ? tooLong : .wait
        }
        return end > limit ? tooLong : judge(bytes[..<end])
    }

    /// The peer sends no more: what has come is its only line.
    public mutating func finish() -> Verdict {
        judge(bytes[...])
    }

    private var tooLong: Verdict { refuse(.other, "the first line of a connection may have at most \(limit) bytes") }

    private func judge(_ line: ArraySlice<UInt8>) -> Verdict {
        line.withUnsafeBytes { raw in
            do throws(MalformedMessage) {
                switch try Message.scan(raw) {
                case .request: return .accept
                case .reply: return refuse(.other, Stranger.noMessage)
                case .batch(let batch):
                    guard let first = batch.makeIterator().nextElement,
                        case .request = try Message.scan(element: first)
                    else { return refuse(.other, Stranger.noMessage) }
                    return .accept
                }
            } catch {
                // A stranger does not learn what is wrong with a line that is no message.
                return refuse(.other, Stranger.noMessage)
            }
        }
    }

    private func refuse(_ stranger: Stranger, _ reason: String) -> Verdict {
        .refuse(stranger.answer(place, reason))
    }
}

extension RPCBatch.Iterator {
    /// The next element; the iterator itself is not moved.
    fileprivate var nextElement: UnsafeRawBufferPointer? {
        var copy = self
        return copy.next()
    }
}
