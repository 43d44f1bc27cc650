import Glibc
import PMSystem
import PMTestSupport
import Testing

@Suite struct `A byte stream` {
    let reactor = TestLoop.reactor

    @Test @PMActor func `what a slow peer does not take is kept in order`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let stream = try ByteStream(ours, reactor: reactor)
        try stream.start {}
        let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        stream.write { $0 += sent }
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        try setNonBlocking(theirs.raw)
        while received.count < sent.count {
            _ = try await reactor.next(.readable, of: theirs.raw)
            let count = read(theirs.raw, &chunk, chunk.count)
            received += chunk[..<max(0, count)]
        }
        #expect(received == sent)
        #expect(stream.backlog == 0)
        stream.close()
    }

    @Test @PMActor func `closing after a flush delivers everything and then the end`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let stream = try ByteStream(ours, reactor: reactor)
        try stream.start {}
        stream.write { $0 += Array("bye".utf8) }
        stream.closeAfterFlush()
        var buffer = [UInt8](repeating: 0, count: 16)
        _ = try await reactor.next(.peerClosed, of: theirs.raw)
        #expect(read(theirs.raw, &buffer, 16) == 3)
        #expect(read(theirs.raw, &buffer, 16) == 0)
        #expect(stream.isClosed)
    }

    @Test @PMActor func `the end of the peer is something to read`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let stream = try ByteStream(ours, reactor: reactor)
        shutdown(theirs.raw, Int32(SHUT_WR))
        let end: ByteStream.Chunk = try await withCheckedThrowingContinuation { continuation in
            do {
                try stream.start {
                    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { space in
                        continuation.resume(returning: stream.read(into: space))
                    }
                    stream.close()
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        #expect(end == .end)
    }

    @Test @PMActor func `a detached stream leaves the connection to its other holder`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let stream = try ByteStream(ours, reactor: reactor)
        try stream.start {}
        stream.detach()
        #expect(write(ours.raw, "x", 1) == 1)
        var byte: UInt8 = 0
        #expect(read(theirs.raw, &byte, 1) == 1)
    }
}
