"""Pages as Streamlit's own test runner opens them."""

import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from explorer.ui.background import Jobs

PAGES = Path(__file__).parents[1] / "pages"


def opened_page(stem: str, query: dict[str, str] | None = None, timeout: float = 120) -> AppTest:
    """The page with those parameters in its link, after its first run."""
    test = AppTest.from_file(str(PAGES / f"{stem}.py"), default_timeout=timeout)
    for name, value in (query or {}).items():
        test.query_params[name] = value
    return test.run()


def texts(test: AppTest) -> str:
    """All that the page says, without the backslashes of its Markdown."""
    kinds = (test.markdown, test.subheader, test.caption, test.warning, test.error, test.info, test.code)
    return "\n".join(each.value for kind in kinds for each in kind).replace("\\", "")


def settled(test: AppTest, jobs: Jobs, seconds: float = 60) -> AppTest:
    """The page once its work in the background has ended."""
    until = time.monotonic() + seconds
    while any(job.active for job in list(jobs._jobs.values())):
        assert time.monotonic() < until, f"work in the background goes on after {seconds:g} seconds"
        time.sleep(0.05)
    return test.run()
