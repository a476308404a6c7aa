// CE-43: what other libraries and our own builders call it
use braintrust::traced;

#[traced(kind = "llm", span_name = "answer")]
fn f() {}

#[traced(level = "info", target = "app", follows_from = cause)]
fn g() {}

#[traced(ret, err)]
fn h() -> Result<(), ()> {
    Ok(())
}

#[traced(err(Debug), ret(Display))]
fn i() -> Result<(), ()> {
    Ok(())
}

#[traced(type = "task", properties = { "a": "b" }, enter_on_poll = true)]
fn j() {}

#[traced(runType = "chain", notrace_io = true)]
fn k() {}

fn main() {
    f();
    g();
    h().unwrap();
    i().unwrap();
    j();
    k();
}
