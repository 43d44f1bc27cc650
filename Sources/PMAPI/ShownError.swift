import JSON
public import JSONRPC

extension RPCError {
    /// The same without what is nobody's business on a network: the stack, and members of a service's own. `data` stays where
    /// the protocol gives it a meaning.
    public var shown: RPCError {
        let all = json.object ?? JSONObject()
        var members = JSONObject()
        for name in ["statusCode", "code", "message", "hint"] { members[name] = all[name] }
        if isProtocolError { members["data"] = all["data"] }
        return RPCError(.object(members))
    }
}
