import Glibc
import PMSystem
import PMTestSupport
import Testing

@Suite struct `A byte stream` {
    let reactor = TestLoop.reactor

    @Test @PMActor func `what a slow peer does not take is kept in order`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let stream = try ByteStream(StreamDescriptors(ours), reactor: reactor)
        try stream.start {}
        let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        stream.write { $0 += sent }
        var isDrained = false
        stream.whenDrained { isDrained = true }
        #expect(!isDrained)
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        try setNonBlocking(theirs.raw)
        while received.count < sent.count {
            _ = try await reactor.next(.readable, of: theirs.raw)
            let count = read(theirs.raw, &chunk, chunk.count)
            received += chunk[..<max(0, count)]
        }
        #expect(received == sent && isDrained)
        #expect(stream.backlog == 0)
        stream.close()
    }

    @Test @PMActor func `two pipes carry what a socket would, and their end is that of the socket`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let (up, down) = (try Pipe.make(), try Pipe.make())
        let pipes = StreamDescriptors.Pipes(reading: up.reading, writing: down.writing)
        let stream = try ByteStream(StreamDescriptors(ours, pipes: pipes), reactor: reactor)
        _ = "hello".withCString { write(up.writing.raw, $0, 5) }
        let said: [UInt8] = try await withCheckedThrowingContinuation { continuation in
            do {
                try stream.start {
                    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { space in
                        guard case .bytes(let count) = stream.read(into: space) else { return }
                        continuation.resume(returning: Array(space[..<count]))
                    }
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        #expect(said == Array("hello".utf8))
        // More than a pipe takes: the rest waits for room.
        let sent = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        stream.write { $0 += sent }
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while received.count < sent.count {
            _ = try await reactor.next(.readable, of: down.reading.raw)
            let count = read(down.reading.raw, &chunk, chunk.count)
            received += chunk[..<max(0, count)]
        }
        #expect(received == sent && stream.backlog == 0)
        stream.close()
        _ = try await reactor.next(.peerClosed, of: theirs.raw)
        #expect(stream.isClosed)
    }

    @Test @PMActor func `closing after a flush delivers everything and then the end`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let stream = try ByteStream(StreamDescriptors(ours), reactor: reactor)
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
        let stream = try ByteStream(StreamDescriptors(ours), reactor: reactor)
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
        let stream = try ByteStream(StreamDescriptors(ours), reactor: reactor)
        try stream.start {}
        stream.detach()
        #expect(write(ours.raw, "x", 1) == 1)
        var byte: UInt8 = 0
        #expect(read(theirs.raw, &byte, 1) == 1)
    }

    @Test @PMActor func `nothing is read during a pause, and everything behind it`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let stream = try ByteStream(StreamDescriptors(ours), reactor: reactor)
        var reads: [ByteStream.Chunk] = []
        try stream.start {
            withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { reads.append(stream.read(into: $0)) }
            if reads.last == .end { stream.close() }
        }
        func turn() async { await reactor.sleep(for: .milliseconds(1)) }
        for round in 1...3 {
            stream.setReading(paused: true)
            #expect(write(theirs.raw, "ab", 2) == 2)
            // Told of once, and not again; what is written meanwhile goes out, and does not begin reading.
            await turn()
            stream.write { $0 += Array("x".utf8) }
            await turn()
            #expect(reads.count == round - 1)
            stream.setReading(paused: false)
            while reads.count < round { await turn() }
            #expect(reads.last == .bytes(2))
            // A pause in which nothing comes.
            stream.setReading(paused: true)
            stream.setReading(paused: false)
        }
        stream.setReading(paused: true)
        #expect(write(theirs.raw, "c", 1) == 1)
        shutdown(theirs.raw, Int32(SHUT_RDWR))
        await turn()
        #expect(reads.count == 3 && !stream.isClosed)
        stream.setReading(paused: false)
        while !stream.isClosed { await turn() }
        #expect(reads.suffix(2) == [.bytes(1), .end])
    }
}
