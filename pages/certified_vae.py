"""VAEs trained on a certified bound of their ELBO: Condessa & Kolter, Provably robust deep generative models, 2020."""

from dataclasses import replace


from explorer.errors import ExplorerError
from explorer.ui.certified_vae import choose_models, choose_settings, choose_subject, describe, known_models, open_models
from explorer.ui.certified_vae_link import PAGE, Link, checked, own_radius
from explorer.ui.certified_vae_live import drag, dragged_radius, plain_slider
from explorer.ui.certified_vae_panels import PANELS
from explorer.ui.certified_vae_work import view
from explorer.ui.opening import Kind, fail_page, open_page, show_panels, stop_page

page = open_page("Certified VAE", Link, PAGE, Kind("certified VAE", "provae-digits-0.1"), known_models, choose_models, open_models, checked, describe)
link, models, revision = page.link, page.models, page.revision
link, subject, refused = choose_subject(link, models, revision)
if subject is None:
    stop_page(link, PAGE, page.problems + refused)
problems = page.show_problems(*refused)
link = choose_settings(link, revision)

place = f"{revision}-{'-'.join(link.model)}-{subject.key}"
try:
    state = dragged_radius(link, models, place)
    radius = plain_slider(models, state.radius, place) if state.socket == "unavailable" else state.radius
    link = replace(link, radius=None if radius == own_radius([each.opened for each in models]) else radius)
    shown = view(link, models, subject, radius, place)
    drag(link, shown)
except ExplorerError as error:
    fail_page(link, PAGE, error)
show_panels(link, PAGE, PANELS, shown, shown.attack, revision, problems)
