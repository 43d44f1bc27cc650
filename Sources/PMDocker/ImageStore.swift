import JSON
import NIOCore
import PMConfig

/// The engine's images: sees to it that one is there.
struct ImageStore: Sendable {
    private let engine: Engine

    init(_ engine: Engine) { self.engine = engine }

    /// Fetches an image as far as that is wanted; `tell` hears of it when it begins.
    ///
    /// - Throws: `EngineError`; a refusal says what the registry said.
    func provide(_ image: String, _ pull: DockerConfiguration.Pull, _ tell: (String) -> Void) async throws {
        switch pull {
        case .never: return
        case .missing: if try await has(image) { return }
        case .always: break
        }
        tell("pulling \(image)")
        try await fetch(image)
    }

    private func has(_ image: String) async throws -> Bool {
        do {
            try await engine.send(EngineRequest(verb: .get, path: "/images/\(image)/json"))
            return true
        } catch let error as EngineError where error.isRefusal(404) {
            return false
        }
    }

    private func fetch(_ image: String) async throws {
        // Without a tag the engine would fetch them all.
        let isExact = image.contains("@") || image.split(separator: "/").last?.contains(":") == true
        let query = [("fromImage", isExact ? image : image + ":latest")]
        let request = EngineRequest(verb: .post, path: "/images/create", query: query)
        var lines = ByteBuffer()
        var failure: String?
        try await engine.stream(request) { bytes in
            lines.writeImmutableBuffer(bytes)
            while let end = lines.readableBytesView.firstIndex(of: UInt8(ascii: "\n")),
                let line = lines.readSlice(length: end - lines.readerIndex + 1)
            {
                // It tells of its progress line by line, and of its failure in one of them.
                failure = try Engine.json(line, request)["error"]?.string ?? failure
            }
            lines.discardReadBytes()
        }
        if let failure { throw EngineError.refused(asked: request.target, status: 502, message: failure) }
    }
}
