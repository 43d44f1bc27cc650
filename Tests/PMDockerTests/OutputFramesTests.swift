import NIOCore
import Testing

@testable import PMDocker

/// What a container writes, out of the engine's frames.
@Suite struct OutputFramesTests {
    /// A frame as an engine makes it; each scalar of the text is a byte, so that texts can be cut anywhere.
    private func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
        let content = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        let length = UInt32(content.count)
        let size = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        return [stream, 0, 0, 0] + size + content
    }

    /// What comes of chunks, one by one: pieces as `out:TEXT` and `err:TEXT`.
    private func pieces(_ frames: inout OutputFrames, _ chunk: [UInt8]) throws -> [String] {
        try frames.received(ByteBuffer(bytes: chunk)).map { piece in
            let text = piece.content.readableBytesView.map { String(Unicode.Scalar($0)) }.joined()
            switch piece.stream {
            case .output: return "out:" + text
            case .errors: return "err:" + text
            }
        }
    }

    /// What comes of chunks, the pieces of one stream in a row as one.
    private func joined(_ chunks: [[UInt8]]) throws -> [String] {
        var frames = OutputFrames()
        var result: [String] = []
        for piece in try chunks.flatMap({ try pieces(&frames, $0) }) {
            if let last = result.last, last.prefix(4) == piece.prefix(4) {
                result[result.count - 1] += piece.dropFirst(4)
            } else {
                result.append(piece)
            }
        }
        return result
    }

    @Test func `frames of both streams mean the same wherever they are cut`() throws {
        let long = String(repeating: "0123456789", count: 30)
        let parts = [(1, "one\n"), (2, "two\n"), (2, ""), (1, long), (1, "three"), (2, "é\u{ff}\u{0}\n")]
        let bytes = parts.flatMap { frame(UInt8($0.0), $0.1) }
        let expected = ["out:one\n", "err:two\n", "out:\(long)three", "err:é\u{ff}\u{0}\n"]
        for cut in 0...bytes.count {
            #expect(try joined([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(try joined(bytes.map { [$0] }) == expected)
    }

    @Test func `whole frames are passed on as they are`() throws {
        var frames = OutputFrames()
        #expect(try pieces(&frames, frame(1, "a") + frame(1, "b") + frame(2, "c")) == ["out:a", "out:b", "err:c"])
    }

    @Test func `empty frames say nothing`() throws {
        var frames = OutputFrames()
        #expect(try pieces(&frames, []) == [])
        #expect(try pieces(&frames, frame(1, "") + frame(2, "")) == [])
        #expect(try pieces(&frames, frame(2, "") + frame(1, "x")) == ["out:x"])
    }

    @Test func `a long frame is passed on before it is whole`() throws {
        var frames = OutputFrames()
        let text = String(repeating: "x", count: 70_000)
        let bytes = frame(2, text) + frame(1, "next")
        #expect(try pieces(&frames, Array(bytes[..<8])) == [])
        #expect(try pieces(&frames, Array(bytes[8..<11])) == ["err:xxx"])
        #expect(try pieces(&frames, []) == [])
        let rest = try pieces(&frames, Array(bytes[11...]))
        #expect(rest.map(\.utf8.count) == [4 + 70_000 - 3, 8])
        #expect(rest.last == "out:next")
    }

    @Test func `what stands for input is output`() throws {
        var frames = OutputFrames()
        #expect(try pieces(&frames, frame(0, "echo")) == ["out:echo"])
    }

    @Test(arguments: [UInt8(3), 65, 255])
    func `a stream that no engine has is an error`(stream: UInt8) throws {
        var frames = OutputFrames()
        #expect(try pieces(&frames, frame(1, "fine")) == ["out:fine"])
        let error = #expect(throws: OutputFrames.Nonsense.self) { try pieces(&frames, frame(stream, "text")) }
        #expect(error == OutputFrames.Nonsense(stream: stream))
        #expect(error?.description.contains("stream \(stream);") == true)
    }
}
