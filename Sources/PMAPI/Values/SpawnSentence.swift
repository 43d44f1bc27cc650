import Glibc
import JSON
public import PMModel
import PMSystem

extension SpawnFailure {
    /// The reason why the service did not run, in one sentence: the key, the object, the cause, and advice about the
    /// key.
    public var sentence: String {
        switch step {
        case .spawn(.executor): executorSentence
        case .spawn(let step): sentence(of: step)
        case .launch(let check): sentence(of: check)
        case .account(let check): "\(place)\(object)\(problem(check))"
        case .sandbox(let check): "\(place)\(object): \(problem(check))"
        }
    }

    /// Advice for the user: the next step after an attempt to start a service.
    public func hint(for service: String) -> String {
        if let limit = MachineLimit(code) { return limit.hint }
        // The sentence has the advice about the key.
        if key != nil { return "pm start \(service.shellWord), once that is done" }
        switch step {
        case .spawn(.exec) where code == ENOENT && object == "node":
            return
                "no folder of its PATH has node: set PATH under \"env\" of its mapping, or start the daemon with a PATH "
                + "that has it (that of nvm is only in your shell)"
        case .spawn(let step): return Self.hint(step, code)
        case .launch(let check): return hint(check, service)
        case .account, .sandbox: return "pm start \(service.shellWord), once that is done"
        }
    }

    private static let pathHint = "check its \"path\", \"cwd\" and \"envFiles\" in the configuration"
    private static let lengthHint =
        "its arguments and variables are too long together: shorten \"cli\", \"env\" or the files of \"envFiles\""

    private static func hint(_ step: SpawnStep, _ code: Int32) -> String {
        switch step {
        case .exec where code == EACCES: "make the program executable (chmod +x) for the user that it runs as"
        case .exec where code == ENOEXEC: "give a script its first line (#!), or build the program for this machine"
        case .exec where code == E2BIG, .request where code == E2BIG: lengthHint
        case .request where code == EINVAL: "take NUL bytes and control characters out of its name, \"cli\" and \"env\""
        case .nothing, .request, .table, .stack, .clone, .pidfd, .cgroup, .session, .oomScore, .nice, .descriptors,
            .limits,
            .groups, .user, .directory, .privileges, .signals, .exec, .signal, .trial, .quiet, .image, .namespace,
            .mount,
            .capabilities, .filter, .executor, .keyring, .unknown:
            pathHint
        }
    }

    private func hint(_ check: LaunchCheck, _ service: String) -> String {
        switch check {
        case .readinessFolder, .readinessFolders, .readinessDescriptor, .socket, .socketTaken, .socketsTooMany,
            .keyOfDocker,
            .limit:
            "pm start \(service.shellWord), once that is done"
        case .inspection: "pm start \(service.shellWord) without --inspect"
        case .runtime: "pm plugins shows which runtimes there are"
        case .order: Self.hint(.request, code)
        case .program, .programIsDirectory, .programIsCommandList, .programIsNoScript, .programIsNone, .file, .pipes,
            .words:
            Self.pathHint
        }
    }

    private var place: String { key.map { "mapping.\($0.service).\($0.name): " } ?? "" }
    private var reason: String { SystemError("", "", code: code).reason }

    // MARK: steps of pm-init

    private func sentence(of step: SpawnStep) -> String {
        guard key != nil else { return SystemError(step.rawValue, object, code: code).description }
        let subject = step.isOfSandbox ? "\(object), \(step.rawValue)" : object
        return "\(place)\(subject): \(reason)" + (advice(for: step).map { "; \($0)" } ?? "")
    }

    private func advice(for step: SpawnStep) -> String? {
        switch step {
        case .limits:
            "only root may go above the hard limit pm was started with (ulimit -Hn, LimitNOFILE=): lower it, or raise that"
        case .nice, .oomScore: "only root may go below what pm was started with: raise it"
        case .groups, .user:
            code == EINVAL
                ? "the numbers 65535 and 4294967295 mean no user and no group: give another"
                : "only root's daemon can run it as another user"
        case .namespace:
            "this user may have no namespaces: allow them (sysctl user.max_user_namespaces, "
                + "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), run pm as root, "
                + "or set \"sandbox\" to \"none\""
        case .mount where code == ENOSYS: "it needs Linux 5.12; set \"sandbox\" to \"none\" on this one"
        case .mount where code == ELOOP:
            "a directory in the path of what it is to see was replaced by a link; start it again when nobody changes it"
        case .mount, .capabilities, .filter, .keyring:
            "this machine cannot give it; set \"sandbox\" to a lower preset, or to \"none\""
        case .nothing, .request, .table, .stack, .clone, .pidfd, .cgroup, .session, .descriptors, .directory,
            .privileges,
            .signals, .exec, .signal, .trial, .quiet, .image, .executor, .unknown:
            nil
        }
    }

    private var executorSentence: String {
        switch code {
        case ECANCELED:
            "its process was ended before its program ran: somebody with the rights of its user, or pm, killed it"
        case ENOENT: "pm-exec: \(reason); it belongs beside pm-init: install pm again"
        default: "pm-exec: \(reason)"  // errno is a number, not an enum of ours
        }
    }

    // MARK: checks of pmd

    private func sentence(of check: LaunchCheck) -> String {
        switch check {
        case .program: detail.isEmpty ? "\(object): \(reason)" : cause
        case .programIsDirectory: "\(object) is a directory"
        case .programIsCommandList:
            "\(object) is a list of commands, and the host of pm runs it, without --pm-sock ipc://"
        case .programIsNoScript: "\(object) is no JavaScript, and the runtime worker runs nothing else"
        case .programIsNone: "\(object) is neither a script nor a program (chmod +x?)"
        case .file, .words: object
        case .inspection:
            detail.isEmpty
                ? "\(object) runs in Docker, where it cannot be inspected"
                : "\(object) has the runtime \(detail), where it cannot be inspected"
        case .runtime: "there is no runtime \"\(object)\": \(detail)"
        case .keyOfDocker: "\(place.dropLast(2)) has no effect in Docker: \(detail); take the key out"
        case .limit: "\(place)\(object): \(cause); correct the value, or take the key out"
        case .readinessFolder:
            "no folder for its NOTIFY_SOCKET can be made (\(detail)): make one of these possible, or choose another \"ready\""
        case .readinessFolders:
            "user \(object) has put files into \(detail), and the others that the daemon's log names"
        case .socket: "\(place)\(object): \(cause); \(socketAdvice)"
        case .socketTaken: "\(place)\(object): \(detail) has it; give one of them another address"
        case .socketsTooMany:
            "\(place)\(object): \(detail) sockets are open for services, and no daemon keeps more; stop some"
        case .readinessDescriptor, .pipes, .order: cause
        }
    }

    /// The failed call and its reason: `open its pipes: Too many open files`.
    private var cause: String { detail.isEmpty ? reason : "\(detail): \(reason)" }

    private func problem(_ check: SandboxCheck) -> String {
        switch check {
        case .sandboxMissing: "No such file or directory; make it"
        case .sandboxShows: "it would show \(detail) as it is; name something below it"
        case .sandboxLink:
            "\(detail) in a directory that the service can write to, so the service could choose what it is given; "
                + "name the directory itself, or make it a directory again"
        case .sandboxOfRoot:
            "root's files and processes stay open to a service of root; "
                + "set \"user\" to a user of its own, or \"sandbox\" to \"basic\""
        }
    }

    private func problem(_ check: AccountCheck) -> String {
        switch check {
        case .userMissing: ": no such user in /etc/passwd; make it (useradd), or correct the name"
        case .groupMissing: ": no such group in /etc/group; make it (groupadd), or correct the name"
        case .userIsRoot: ": it is root under another name; write \"root\" if that is meant"
        case .groupIsRoot: ": it is root's group under another name; write \"root\" if that is meant"
        case .accountOfOther:
            ": only root's daemon can run a service as somebody else, and this one is user \(detail)'s; "
                + "take the key out, or run pm as root"
        case .groupsTooMany:
            ": it is in \(detail) groups, and pm can give a service \(UserIdentity.mostGroups) at most; "
                + "take it out of some (/etc/group), or make another user"
        case .userMalformed, .groupMalformed:
            " \(detail); give the account's name, or its number in plain digits"
        }
    }

    private var socketAdvice: String {
        switch code {
        case EADDRINUSE: "another program has it: end that, or choose another"
        case EACCES, EPERM: "pm may not: choose a port from 1024 on or another directory, or run pm as root"
        case ENOENT, ENOTDIR: "make the directory"
        case EADDRNOTAVAIL: "no interface of this machine has this address"
        default: "choose another address"  // errno is a number, not an enum of ours
        }
    }
}

extension SpawnStep {
    /// True for steps that shut a service into its sandbox.
    fileprivate var isOfSandbox: Bool {
        switch self {
        case .namespace, .mount, .capabilities, .filter, .keyring: true
        case .nothing, .request, .table, .stack, .clone, .pidfd, .cgroup, .session, .oomScore, .nice, .descriptors,
            .limits,
            .groups, .user, .directory, .privileges, .signals, .exec, .signal, .trial, .quiet, .image, .executor,
            .unknown:
            false
        }
    }
}

extension SpawnFailure {
    /// Members of a record: the sentence for people, and the parts that it is made of.
    var members: [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [("message", .string(sentence)), ("step", .string(step.word))]
        if !object.isEmpty { members.append(("object", .string(object))) }
        if code != 0 { members.append(("errno", JSONValue(Int(code)))) }
        if let key { members.append(("key", ["service": .string(key.service), "name": .string(key.name)])) }
        if !detail.isEmpty { members.append(("detail", .string(detail))) }
        return members
    }

    /// Reads a record. The record of an older version has only a sentence; a step that this version does not know keeps
    /// its sentence.
    init(members json: JSONValue) {
        guard let step = json["step"]?.string.flatMap({ Step(word: $0) }) else {
            self.init(.launch(.words), json["message"]?.string ?? "")
            return
        }
        let key = json["key"]?["name"]?.string.map { Key(json["key"]?["service"]?.string ?? "", $0) }
        self.init(
            step, json["object"]?.string ?? "", code: Int32(clamping: json["errno"]?.int ?? 0),
            detail: json["detail"]?.string ?? "")
        self.key = key
    }
}
