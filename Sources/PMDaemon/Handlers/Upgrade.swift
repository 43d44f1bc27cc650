import PMAPI
import PMRouting
import PMSupervisor
import PMSystem

/// `upgrade`: another process of this program takes over.
struct UpgradeHandler: Handler {
    let version: VersionHandler
    let holder: Holder
    /// The program of pm-init.
    let initProgram: String
    /// Begins once the caller has its answer.
    let begin: @PMActor () throws(APIError) -> Void

    func handle(_ request: Upgrade, from peer: Peer) async throws(APIError) -> Version.Answer {
        if request.includesInit { try await replaceInit() }
        try begin()
        return try await version.handle(Version(), from: peer)
    }

    private func replaceInit() async throws(APIError) {
        let problem: (any Error)? = await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try holder.reexec(initProgram) { continuation.resume(returning: $0) }
            } catch {
                continuation.resume(returning: error)
            }
        }
        guard let problem else { return }
        throw APIError(
            500, "pm-init cannot go on as \(initProgram): \(problem)",
            hint: "nothing has changed; is \(initProgram) the pm-init of this pm?")
    }
}
