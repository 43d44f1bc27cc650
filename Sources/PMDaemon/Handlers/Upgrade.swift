import PMAPI
import PMRouting
import PMSupervisor
import PMSystem

/// `upgrade`: another process of this program takes over.
struct UpgradeHandler: AsyncHandler {
    let version: VersionHandler
    let holder: Holder
    /// The program of pm-init.
    let initProgram: String
    /// Begins once the caller has its answer.
    let startUpgrade: @PMActor () throws(APIError) -> Void

    func handle(_ request: Upgrade, from session: Session, _ answer: @escaping Answering<Version.Answer>)
        throws(APIError)
    {
        let goOn: @PMActor () throws(APIError) -> Version.Answer = { () throws(APIError) in
            try startUpgrade()
            return try version.handle(Version(), from: session)
        }
        guard request.includesInit else { return answer(.success(try goOn())) }
        do throws(SystemError) {
            try holder.reexec(initProgram) { problem in
                answer(
                    Result { () throws(APIError) in
                        if let problem { throw refusal(problem) }
                        return try goOn()
                    })
            }
        } catch {
            throw refusal(error)
        }
    }

    private func refusal(_ problem: any Error) -> APIError {
        APIError(
            500, "pm-init cannot go on as \(initProgram): \(problem)",
            hint: "nothing has changed; is \(initProgram) the pm-init of this pm?")
    }
}
