const EDGE = 46

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector(".strip")
  const chosen = data.selected
  strip.replaceChildren(
    ...data.numbers.map((number, position) => {
      const button = document.createElement("button")
      button.type = "button"
      button.title = `${data.names[position]} · test image ${number}`
      button.setAttribute("role", "option")
      button.setAttribute("aria-label", button.title)
      button.setAttribute("aria-selected", String(number === chosen))
      button.dataset.testid = `strip-${position}`
      button.style.backgroundImage = `url(${data.sheet})`
      button.style.backgroundSize = `${data.numbers.length * EDGE}px ${EDGE}px`
      button.style.backgroundPosition = `${-position * EDGE}px 0`
      button.onclick = () => {
        for (const each of strip.children) each.setAttribute("aria-selected", String(each === button))
        setTriggerValue("chosen", number)
      }
      return button
    }),
  )
}
